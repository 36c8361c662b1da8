package rbac

default allow := false

grants := {
	"admin": {"orders": ["read", "write", "delete"], "users": ["read", "write"]},
	"editor": {"orders": ["read", "write"]},
	"viewer": {"orders": ["read"]},
}

allow if {
	some role in input.user.roles
	input.action in grants[role][input.resource]
}
