package window

default open := false

open if {
	some sale in input.sales
	sale.from <= input.time
	input.time < sale.to
	hour := floor((input.time % 86400) / 3600)
	hour in numbers.range(8, 20)
}
