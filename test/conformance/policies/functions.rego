package functions

path_parts(path) := split(trim(path, "/"), "/")

is_owner(user, order) if user.id == order.owner

is_owner(user, _) if user.roles[_] == "admin"

first := path_parts(input.path)[0]

allow if is_owner(input.user, input.order)

label := upper(concat("-", [first, input.action]))
