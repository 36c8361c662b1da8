package partialobject

permissions[resource] contains action if {
	some grant in input.user.grants
	resource := grant.resource
	some action in grant.actions
}

by_level[input.user.level][input.user.id] := input.action

mixed.fixed := 1

mixed[name] := value if {
	some name, value in input.extra
	name != "fixed"
}
