package routes

default allow := false

allow if {
	regex.match(`^/api/v[0-9]+/orders/[a-z0-9-]+$`, input.path)
	input.action in {"read", "write"}
}

allow if glob.match("/public/**", ["/"], input.path)

allow if glob.match("/users/*/profile", ["/"], input.path)
