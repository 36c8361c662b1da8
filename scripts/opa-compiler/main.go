// Command opa-compiler is OPA's own Rego compiler as a filter: one JSON request on
// standard input, one JSON answer on standard output. Mayfly ships it built for WASI
// (build.sh), so that a machine without Go compiles policies too.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// request is what src/policy/compile.ts asks for.
type request struct {
	// Modules maps file names, used in messages only, to Rego source.
	Modules map[string]string `json:"modules"`
	// Entrypoints are paths such as "shop/allow"; none asks only for a check and a listing.
	Entrypoints []string `json:"entrypoints"`
	// Tests makes every test rule an entrypoint (and ignores Entrypoints).
	Tests bool `json:"tests"`
}

// answer always carries what could be learnt; Plan and Wasm only when there are no errors.
type answer struct {
	Errors   []problem           `json:"errors"`
	Versions map[string]string   `json:"versions"`
	Rules    []rule              `json:"rules"`
	Tests    []test              `json:"tests"`
	Builtins map[string]location `json:"builtins"`
	Plan     json.RawMessage     `json:"plan,omitempty"`
	Wasm     []byte              `json:"wasm,omitempty"`
}

type location struct {
	File   string `json:"file"`
	Row    int    `json:"row"`
	Column int    `json:"column"`
}

type problem struct {
	Code     string    `json:"code"`
	Message  string    `json:"message"`
	Location *location `json:"location"`
}

func main() {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fmt.Fprintln(os.Stderr, "malformed request:", err)
		os.Exit(2)
	}
	if err := json.NewEncoder(os.Stdout).Encode(compileRequest(asked)); err != nil {
		fmt.Fprintln(os.Stderr, "cannot write the answer:", err)
		os.Exit(2)
	}
}
