package mocks

default plain := false

plain if input.action == "read"

# Guarded: OPA's WebAssembly form corrupts its memory where `with` replaces a member of what is no object.
as_admin if {
	is_object(input)
	allowed with input.user as {"roles": ["admin"]}
}

deep if {
	is_object(input.user)
	allowed with input.user.roles as ["admin"]
}

mocked := x if x := measured(input.path) with count as always

measured(text) := count(text)

always(_) := 42

default allowed := false

allowed if "admin" in input.user.roles

allowed if input.user.id == data.owner

owner if allowed with data.owner as input.user.id
