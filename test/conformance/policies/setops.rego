package setops

required := {"read", "write"}

given := {scope | some scope in input.user.scopes}

missing := required - given

common := required & given

every_scope := required | given

allow if count(missing) == 0
