package text

name := lower(trim_space(input.user.id))

short := substring(input.path, 0, 5)

at := indexof(input.path, "/")

clean := replace(input.path, "//", "/")

message := sprintf("%s may not %v %s", [input.user.id, input.action, input.path])

greeting := $"hello {input.user.id}, {input.order.amount}"

padded := format_int(count(input.path), 16)
