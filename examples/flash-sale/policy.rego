package serverless

import rego.v1

default allow = false

allow if {
	input.method == "POST"
	input.path == "/api/function"
	input.user.role == "user"
	input.rate_limit.remaining > 0
	input.user.status == "active"
}

allow if {
	input.method == "GET"
	input.path == "/api/status"
	input.user.role == "user"
}

allow if {
	input.method == "GET"
	input.path == "/api/all"
	input.user.role == "admin"
}
