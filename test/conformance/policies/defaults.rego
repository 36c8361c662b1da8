package defaults

default score(_) := 0

score(user) := 10 if user.level == "gold"

score(user) := 5 if user.level == "silver"

allow if score(input.user) > 3

total := score(input.user) + score(input.order)
