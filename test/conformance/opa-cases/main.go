// Command opa-cases prints OPA's own test cases, compiled, as JSON lines: the plan, the WebAssembly module,
// data, input, what OPA's authors expect, and what this OPA answers. ../rego-cases.ts reads them.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/test/cases"
)

// compiled is one test case. Binding is the variable that stands for the entrypoint's value; it is
// empty where the query had to be wrapped in a rule, whose value is then the set of all bindings.
type compiled struct {
	Note       string            `json:"note"`
	Entrypoint string            `json:"entrypoint"`
	Binding    string            `json:"binding"`
	Plan       json.RawMessage   `json:"plan"`
	Wasm       []byte            `json:"wasm,omitempty"`
	Data       *map[string]any   `json:"data,omitempty"`
	Input      *any              `json:"input,omitempty"`
	InputTerm  *string           `json:"inputTerm,omitempty"`
	Strict     bool              `json:"strict,omitempty"`
	Want       *[]map[string]any `json:"want,omitempty"`
	WantError  bool              `json:"wantError,omitempty"`
	Native     answer            `json:"native"`
	Skipped    string            `json:"skipped,omitempty"`
}

type answer struct {
	Defined bool   `json:"defined"`
	Value   any    `json:"value,omitempty"`
	Error   string `json:"error,omitempty"`
}

func main() {
	log.SetFlags(0)
	// The compiler prints to standard output where a case asks for `print`.
	out := bufio.NewWriter(os.Stdout)
	os.Stdout = os.Stderr
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, tc := range cases.MustLoad(filepath.Join(moduleDir(), "v1/test/cases/testdata/v1")).Sorted().Cases {
		if err := encoder.Encode(compileCase(tc)); err != nil {
			log.Fatal(err)
		}
	}
}

func moduleDir() string {
	path, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/open-policy-agent/opa").Output()
	if err != nil {
		log.Fatal("cannot find the OPA module: ", err)
	}
	return strings.TrimSpace(string(path))
}

func compileCase(tc cases.TestCase) compiled {
	c := compiled{
		Note: tc.Note, Data: tc.Data, Input: tc.Input, InputTerm: tc.InputTerm, Strict: tc.StrictError,
		Want: tc.WantResult, WantError: tc.WantErrorCode != nil || tc.WantError != nil,
	}
	modules := map[string]string{}
	for i, module := range tc.Modules {
		modules[fmt.Sprintf("test-%d.rego", i)] = module
	}
	err := errNotDirect
	if entrypoint, binding, ok := direct(tc.Query); ok {
		c.Entrypoint, c.Binding = entrypoint, binding
		err = c.compile(modules)
	}
	if err != nil {
		var wrapper string
		if wrapper, err = wrap(tc.Query); err == nil {
			modules["query.rego"] = wrapper
			c.Entrypoint, c.Binding = "mayfly_query/results", ""
			err = c.compile(modules)
		}
	}
	if err != nil {
		c.Skipped = err.Error()
		return c
	}
	c.Native = evaluate(tc, modules, c.Entrypoint)
	return c
}

var errNotDirect = fmt.Errorf("not a plain reference")
var directQuery = regexp.MustCompile(`^data((?:\.[a-zA-Z_][a-zA-Z0-9_]*)+) = ([a-z])$`)

// direct recognises `data.test.p = x`, the query of nearly all cases.
func direct(query string) (entrypoint, binding string, ok bool) {
	match := directQuery.FindStringSubmatch(strings.TrimSpace(query))
	if match == nil {
		return "", "", false
	}
	return strings.ReplaceAll(match[1][1:], ".", "/"), match[2], true
}

func wrap(query string) (string, error) {
	body, err := ast.ParseBodyWithOpts(query, ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil {
		return "", err
	}
	visitor := ast.NewVarVisitor().WithParams(ast.VarVisitorParams{
		SkipRefHead: true, SkipRefCallHead: true, SkipObjectKeys: true, SkipClosures: true,
	})
	visitor.WalkBody(body)
	members := []string{}
	for v := range visitor.Vars() {
		if !v.IsGenerated() && !v.IsWildcard() && v != ast.InputRootDocument.Value.(ast.Var) && v != ast.DefaultRootDocument.Value.(ast.Var) {
			members = append(members, fmt.Sprintf("%q: %s", v, v))
		}
	}
	return fmt.Sprintf("package mayfly_query\n\nresults contains {%s} if {\n%s\n}\n", strings.Join(members, ", "), query), nil
}

func (c *compiled) compile(modules map[string]string) error {
	plan, err := build(modules, c.Entrypoint, compile.TargetPlan)
	if err != nil {
		return err
	}
	wasm, err := build(modules, c.Entrypoint, compile.TargetWasm)
	if err != nil {
		return err
	}
	c.Plan, c.Wasm = plan.PlanModules[0].Raw, wasm.WasmModules[0].Raw
	return nil
}

func build(modules map[string]string, entrypoint, target string) (*bundle.Bundle, error) {
	b := &bundle.Bundle{Data: map[string]any{}}
	b.Manifest.Init()
	for name, text := range modules {
		parsed, err := ast.ParseModuleWithOpts(name, text, ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			return nil, err
		}
		b.Modules = append(b.Modules, bundle.ModuleFile{URL: name, Path: name, Raw: []byte(text), Parsed: parsed})
	}
	c := compile.New().WithTarget(target).WithBundle(b).WithEntrypoints(entrypoint).WithPruneUnused(true).
		WithRegoVersion(ast.RegoV1).WithCapabilities(ast.CapabilitiesForThisVersion()).WithOutput(io.Discard)
	if err := c.Build(context.Background()); err != nil {
		return nil, err
	}
	return c.Bundle(), nil
}

// evaluate asks the evaluator that is built into OPA. Errors of builtins make a value undefined, as in
// `opa run`, whatever the case says: that is what a gateway does.
func evaluate(tc cases.TestCase, modules map[string]string, entrypoint string) answer {
	for name, value := range tc.Env {
		os.Setenv(name, value)
		defer os.Unsetenv(name)
	}
	options := []func(*rego.Rego){
		rego.Query("data." + strings.ReplaceAll(entrypoint, "/", ".")),
		rego.SetRegoVersion(ast.RegoV1),
	}
	for name, text := range modules {
		options = append(options, rego.Module(name, text))
	}
	if tc.Data != nil {
		options = append(options, rego.Store(inmem.NewFromObject(*tc.Data)))
	}
	if tc.InputTerm != nil {
		options = append(options, rego.ParsedInput(ast.MustParseTerm(*tc.InputTerm).Value))
	} else if tc.Input != nil {
		options = append(options, rego.ParsedInput(ast.MustInterfaceToValue(*tc.Input)))
	}
	results, err := rego.New(options...).Eval(context.Background())
	switch {
	case err != nil:
		return answer{Error: err.Error()}
	case len(results) == 0:
		return answer{}
	default:
		return answer{Defined: true, Value: results[0].Expressions[0].Value}
	}
}
