package dispatch

default allow := false

allow if data.dispatch.rules[input.action]

rules.read if input.user.id

rules.write if {
	input.user.level == "gold"
	not conflict
}

rules.delete if "admin" in input.user.roles

conflict if graph.reachable(input.graph, {input.user.id})["forbidden"]

kind := type_name(input.order.amount)

verdict := {"allow": allow, "kind": kind}
