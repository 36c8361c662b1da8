package elsechain

tier := "platinum" if input.order.amount >= 10000

else := "gold" if input.order.amount >= 1000

else := "silver" if {
	input.order.amount >= 100
	not input.user.blocked
}

else := "none"
