package main

import (
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
)

type rule struct {
	// Path is the entrypoint form, "shop/allow" for data.shop.allow.
	Path     string    `json:"path"`
	Location *location `json:"location"`
}

type test struct {
	// Path is the entrypoint to evaluate; empty for a skipped test.
	Path     string    `json:"path"`
	Package  string    `json:"package"`
	Name     string    `json:"name"`
	Location *location `json:"location"`
	Skip     bool      `json:"skip"`
	// Cases says that the rule is a partial object, one member a test case.
	Cases bool `json:"cases"`
}

const testPrefix, skippedTestPrefix = "test_", "todo_test_"

// listRules names every rule once, in source order. Where a rule's name has a
// variable part (`roles[name]`), the part before it is the name.
func listRules(modules *bundle.Bundle) []rule {
	rules := []rule{}
	seen := map[string]bool{}
	for _, file := range modules.Modules {
		for _, r := range file.Parsed.Rules {
			path := entrypoint(file.Parsed.Package.Path.Extend(r.Head.Ref().GroundPrefix()))
			if path != "" && !seen[path] {
				seen[path] = true
				rules = append(rules, rule{Path: path, Location: locate(r.Location)})
			}
		}
	}
	return rules
}

// entrypoint writes a reference as a path, or gives "" where that cannot be done
// (an element that is not a string, as in `rules[7]`).
func entrypoint(ref ast.Ref) string {
	parts := make([]string, 0, len(ref))
	for i, term := range ref {
		switch value := term.Value.(type) {
		case ast.String:
			parts = append(parts, string(value))
		case ast.Var:
			if i > 0 { // ref[0] is `data`
				parts = append(parts, string(value))
			}
		default:
			return ""
		}
	}
	return strings.Join(parts, "/")
}

// prepareTests lists the test rules in source order and returns their entrypoints. As in
// `opa test`, rules of one name are tests of their own; the second is renamed `name#01`.
func prepareTests(modules *bundle.Bundle) ([]test, []string) {
	tests := []test{}
	entrypoints := []string{}
	count := map[string]int{}
	for _, file := range modules.Modules {
		pkg := file.Parsed.Package.Path
		for _, r := range file.Parsed.Rules {
			name, ref := testName(r.Head)
			found := test{Package: pkg.String(), Location: locate(r.Location)}
			switch {
			case strings.HasPrefix(name, skippedTestPrefix):
				found.Name, found.Skip = ref.String(), true
			case strings.HasPrefix(name, testPrefix):
				key := pkg.Extend(ref).String()
				if earlier := count[key]; earlier > 0 {
					ref = rename(r, ref, fmt.Sprintf("%s#%02d", name, earlier))
				}
				count[key]++
				found.Name = ref.String()
				found.Path = entrypoint(pkg.Extend(ref))
				found.Cases = r.Head.DocKind() == ast.PartialObjectDoc
				if found.Cases {
					announceCases(r, ref)
				}
				entrypoints = append(entrypoints, found.Path)
			default:
				continue
			}
			tests = append(tests, found)
		}
	}
	return tests, entrypoints
}

// testName returns the first element of a rule's name that says "test", and the
// reference up to it.
func testName(head *ast.Head) (string, ast.Ref) {
	ground := head.Ref().GroundPrefix()
	for i, term := range ground {
		name := ""
		switch value := term.Value.(type) {
		case ast.Var:
			name = string(value)
		case ast.String:
			name = string(value)
		}
		if strings.HasPrefix(name, testPrefix) || strings.HasPrefix(name, skippedTestPrefix) {
			return name, ground[:i+1]
		}
	}
	return "", ground
}

func rename(r *ast.Rule, ref ast.Ref, name string) ast.Ref {
	rest := r.Head.Ref()[len(ref):]
	renamed := ref.Copy()
	if len(renamed) == 1 {
		renamed[0] = ast.VarTerm(name)
	} else {
		renamed[len(renamed)-1] = ast.StringTerm(name)
	}
	r.Head.SetRef(append(renamed.Copy(), rest...))
	return renamed
}

// listBuiltins finds the first call of every builtin, so that a message about one can
// say where it is used.
func listBuiltins(modules *bundle.Bundle) map[string]location {
	known := map[string]bool{}
	for _, builtin := range ast.CapabilitiesForThisVersion().Builtins {
		known[builtin.Name] = true
	}
	calls := map[string]location{}
	note := func(operator *ast.Term) {
		name := operator.String()
		at := locate(operator.Location)
		if _, seen := calls[name]; !seen && known[name] && at != nil {
			calls[name] = *at
		}
	}
	for _, file := range modules.Modules {
		ast.WalkExprs(file.Parsed, func(expr *ast.Expr) bool {
			if expr.IsCall() {
				note(expr.Terms.([]*ast.Term)[0])
			}
			return false
		})
		ast.WalkTerms(file.Parsed, func(term *ast.Term) bool {
			if call, ok := term.Value.(ast.Call); ok {
				note(call[0])
			}
			return false
		})
	}
	return calls
}
