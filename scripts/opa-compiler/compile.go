package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
)

// compileRequest parses every file in the syntax that fits it and compiles all of them
// once to a plan and once to WebAssembly.
func compileRequest(asked request) answer {
	reply := answer{
		Errors: []problem{}, Versions: map[string]string{}, Rules: []rule{}, Tests: []test{},
		Builtins: map[string]location{},
	}
	sources, problems := parseAll(asked.Modules)
	if len(problems) > 0 {
		reply.Errors = problems
		return reply
	}
	err := build(&reply, sources, asked)
	if err != nil && anyAlsoOld(sources) {
		// A file may read as both syntaxes and yet compile only as the old one, which
		// still has deprecated builtins and lets local variables shadow `input`.
		if build(&reply, preferOld(sources), asked) == nil {
			err = nil
		}
	}
	if err != nil {
		reply.Errors = describe(err)
		reply.Plan, reply.Wasm = nil, nil
	}
	return reply
}

func build(reply *answer, sources []source, asked request) error {
	first := bundleOf(sources)
	reply.Versions = versions(sources)
	reply.Rules = listRules(first)
	reply.Builtins = listBuiltins(first)
	entrypoints := asked.Entrypoints
	if asked.Tests {
		reply.Tests, entrypoints = prepareTests(first)
	}
	if len(entrypoints) == 0 {
		return check(first)
	}
	planned, err := run(first, compile.TargetPlan, entrypoints)
	if err != nil {
		return err
	}
	reply.Plan = json.RawMessage(planned.PlanModules[0].Raw)

	// The Wasm target edits the modules it is given, so it gets its own.
	second := bundleOf(sources)
	if asked.Tests {
		prepareTests(second)
	}
	compiled, err := run(second, compile.TargetWasm, entrypoints)
	if err != nil {
		return err
	}
	reply.Wasm = compiled.WasmModules[0].Raw
	return nil
}

// run mirrors `opa build -t TARGET -e ENTRYPOINT… --prune-unused`, without optimisation:
// -O1 treats data that is not in the bundle as absent for ever.
func run(modules *bundle.Bundle, target string, entrypoints []string) (*bundle.Bundle, error) {
	compiler := compile.New().
		WithTarget(target).
		WithBundle(modules).
		WithEntrypoints(entrypoints...).
		WithPruneUnused(true).
		WithRegoVersion(ast.RegoV1).
		WithCapabilities(ast.CapabilitiesForThisVersion())
	if err := compiler.Build(context.Background()); err != nil {
		return nil, err
	}
	return compiler.Bundle(), nil
}

func check(modules *bundle.Bundle) error {
	parsed := map[string]*ast.Module{}
	for _, file := range modules.Modules {
		parsed[file.Path] = file.Parsed
	}
	compiler := ast.NewCompiler().WithCapabilities(ast.CapabilitiesForThisVersion())
	if compiler.Compile(parsed); compiler.Failed() {
		return compiler.Errors
	}
	return nil
}

func describe(err error) []problem {
	var many ast.Errors
	if !errors.As(err, &many) {
		return []problem{{Code: "rego_compile_error", Message: err.Error()}}
	}
	described := make([]problem, 0, len(many))
	for _, one := range many {
		described = append(described, problem{Code: one.Code, Message: one.Message, Location: locate(one.Location)})
	}
	return described
}

func locate(at *ast.Location) *location {
	if at == nil || at.File == "" {
		return nil
	}
	return &location{File: at.File, Row: at.Row, Column: at.Col}
}
