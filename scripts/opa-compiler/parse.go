package main

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/util"
)

// source is one file and the syntaxes in which it can be read.
type source struct {
	name, text string
	version    ast.RegoVersion
	alsoOld    bool
}

// parseAll tells the old syntax (`allow { … }`) from that of Rego 1.0 (`allow if { … }`)
// file by file: the new one first, then the old one. Where neither fits, the errors of
// the one that got further are the ones worth reading.
func parseAll(modules map[string]string) ([]source, []problem) {
	var sources []source
	var problems []problem
	for _, name := range util.KeysSorted(modules) {
		text := modules[name]
		_, newErr := parse(name, text, ast.RegoV1)
		_, oldErr := parse(name, text, ast.RegoV0)
		switch {
		case newErr == nil:
			sources = append(sources, source{name, text, ast.RegoV1, oldErr == nil})
		case oldErr == nil:
			sources = append(sources, source{name, text, ast.RegoV0, true})
		default:
			problems = append(problems, further(describe(newErr), describe(oldErr))...)
		}
	}
	return sources, problems
}

func parse(name, text string, version ast.RegoVersion) (*ast.Module, error) {
	return ast.ParseModuleWithOpts(name, text, ast.ParserOptions{
		RegoVersion:  version,
		Capabilities: ast.CapabilitiesForThisVersion(),
	})
}

func further(current, old []problem) []problem {
	if position(old) > position(current) {
		return old
	}
	return current
}

func position(problems []problem) int {
	if len(problems) == 0 || problems[0].Location == nil {
		return 0
	}
	return problems[0].Location.Row<<16 + problems[0].Location.Column
}

func anyAlsoOld(sources []source) bool {
	return slices.ContainsFunc(sources, func(s source) bool { return s.alsoOld && s.version != ast.RegoV0 })
}

func preferOld(sources []source) []source {
	old := slices.Clone(sources)
	for i := range old {
		if old[i].alsoOld {
			old[i].version = ast.RegoV0
		}
	}
	return old
}

func versions(sources []source) map[string]string {
	named := map[string]string{}
	for _, s := range sources {
		named[s.name] = "v1"
		if s.version == ast.RegoV0 {
			named[s.name] = "v0"
		}
	}
	return named
}

// bundleOf parses again, because compiling edits the modules. The sources are known to parse.
func bundleOf(sources []source) *bundle.Bundle {
	result := &bundle.Bundle{Data: map[string]any{}}
	result.Manifest.Init()
	for _, s := range sources {
		parsed, err := parse(s.name, s.text, s.version)
		if err != nil {
			panic(err)
		}
		result.Modules = append(result.Modules, bundle.ModuleFile{
			URL: s.name, Path: s.name, Raw: []byte(s.text), Parsed: parsed,
		})
	}
	return result
}
