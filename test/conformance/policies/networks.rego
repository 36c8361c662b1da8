package networks

default internal := false

internal if {
	some network in ["10.0.0.0/8", "192.168.0.0/16", "2001:db8::/32"]
	net.cidr_contains(network, input.ip)
}

overlap if net.cidr_intersects(input.network, "10.1.0.0/16")
