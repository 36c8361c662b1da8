package deeprefs

deep := input.order.items[0].tags[1]

any_tag contains input.order.items[_].tags[_]

dynamic := input[input.action][input.resource]

odd := input.extra["__proto__"]

odder := input.extra.constructor

oddest := input.extra[input.resource]

lengthy := input.order.items.length
