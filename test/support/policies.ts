/** Policies that several tests compile. The first two are the shop's own, as they stand in its repository. */
export const shopOld = `package serverless
default allow = false
allow {
    input.method == "POST"
    input.path == "/api/function"
    input.user.role == "user"
    input.rate_limit.remaining > 0
}
`;

export const shopNew = `package serverless
import rego.v1
default allow = false
allow if { input.method == "POST"; input.path == "/api/function"; input.user.role == "user"; input.rate_limit.remaining > 0; input.user.status == "active" }
allow if { input.method == "GET"; input.path == "/api/status"; input.user.role == "user" }
allow if { input.method == "GET"; input.path == "/api/all"; input.user.role == "admin" }
`;

/** Roles with permissions and path prefixes, a deny list, an expiry. */
export const roles = `package gateway.authz
default allow = false
allow {
    not blocked
    not expired
    input.rate_limit.remaining > 0
    permitted
}
permitted {
    role := input.claims.roles[_]
    perm := data.permissions[role][_]
    perm.methods[_] == input.method
    startswith(input.path, perm.prefix)
    input.claims.scopes[_] == perm.scope
}
permitted {
    input.claims.roles[_] == "admin"
    input.claims.mfa == true
}
blocked { data.blocked[input.claims.sub] }
expired { input.claims.exp < input.time }
`;

export const rolesData = {
  permissions: {
    clerk: [
      { methods: ['GET', 'POST'], prefix: '/orders/', scope: 'orders' },
      { methods: ['GET'], prefix: '/stock/', scope: 'stock' },
    ],
    guest: [{ methods: ['GET'], prefix: '/public/', scope: 'public' }],
  },
  blocked: { mallory: true },
};

/** What keeps caches in the module busy (regex, glob), sets, comprehensions, and a builtin of the host (sprintf). */
export const patterns = `package patterns
import rego.v1
default allow := false
allow if {
    regex.match("^/api/v[0-9]+/orders/[a-z0-9-]+$", input.path)
    glob.match("/api/*/orders/*", ["/"], input.path)
    input.rate_limit.remaining > 0
}
reason := sprintf("denied %s %v (%d)", [input.path, input.tags, count(tags)]) if not allow
tags contains tag if some tag in input.tags
upper_tags := {upper(tag) | some tag in input.tags}
pairs := [[i, tag] | some i, tag in input.tags]
lookup := {tag: count(tag) | some tag in input.tags}
`;

/** Two rules that may disagree about one value: a conflict is an error at run time. */
export const conflict = `package conflict
import rego.v1
level := 1 if input.a
level := 2 if input.b
default allow := false
allow if not input.blocked
`;

/** Builtins that OPA's Wasm leaves to its host. */
export const hosted = `package hosted
import rego.v1
parts := regex.split(input.pattern, input.text)
text := sprintf("%s|%05.1f|%v|%d", [input.text, 2.25, {"b", "a"}, 123456789012345678901])
document := yaml.unmarshal(input.yaml)
valid := yaml.is_valid(input.yaml)
back := yaml.unmarshal(yaml.marshal({"a": [1, input.text]}))
undefined_split if not regex.split(input.pattern, input.text)
`;
