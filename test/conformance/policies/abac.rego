package abac

default allow := false

allow if {
	input.user.tenant == input.order.tenant
	input.order.amount <= limit
	not input.user.blocked
}

limit := 1000 if input.user.level == "gold"

else := 100 if input.user.level == "silver"

else := 10
