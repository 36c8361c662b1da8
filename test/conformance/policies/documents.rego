package documents

default_order := {"currency": "EUR", "ship": {"to": "home", "fast": false}}

merged := object.union(default_order, input.order)

public := object.remove(input.order, ["owner", "secret"])

kept := object.filter(input.order, ["items", "amount"])

pruned := json.remove(input.order, ["items/0", "owner"])

names := object.keys(input.order)

level := object.get(input, ["user", "level"], "none")

leaves contains value if {
	walk(input.order, [_, value])
	is_string(value)
}
