package ratelimit

default decision := {"allow": false, "reason": "malformed"}

decision := {"allow": true, "left": left} if {
	left := input.rate_limit.remaining - 1
	left >= 0
}

decision := {"allow": false, "reason": "limited"} if input.rate_limit.remaining <= 0
