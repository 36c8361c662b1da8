package numbers

big := 9007199254740993 + input.order.amount

product := input.order.amount * 1000003

remainder := input.order.amount % 7

half := input.order.amount / 2

rounded := round(input.order.amount)

same if input.order.amount == 100

bits_of := bits.and(input.order.amount, 255)

order contains n if {
	some n in input.order.numbers
	n > 9007199254740992
}
