package claims

default allow := false

claims := input.user.claims

allow if {
	claims.iss == "https://issuer.example"
	claims.exp > input.time
	not claims.nbf > input.time
	audience
	"orders:write" in split(claims.scope, " ")
}

audience if claims.aud == "shop"

audience if "shop" in claims.aud
