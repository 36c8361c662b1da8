package main

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// announceCases makes a test rule with one member per case (`test_sum[case.note] if { … }`)
// call internal.test_case with the member's name before it checks anything: a case that
// fails leaves no member behind, and would go unnoticed. `opa test` does the same.
func announceCases(r *ast.Rule, name ast.Ref) {
	tail := r.Head.Ref()[len(name):]
	if len(tail) == 0 || callsTestCase(r.Body) {
		return
	}
	announce := ast.NewExpr([]*ast.Term{
		ast.NewTerm(ast.InternalTestCase.Ref()),
		ast.NewTerm(ast.NewArray(tail.Copy()...)),
	})
	announce.Location = r.Location
	announce.Terms.([]*ast.Term)[0].Location = r.Location
	r.Body = slices.Insert(r.Body, boundAfter(tail, r.Body), announce)
	for i, expr := range r.Body {
		expr.Index = i
	}
}

// boundAfter is the index after the expressions in which every variable of the case's
// name has been met for the first time.
func boundAfter(tail ast.Ref, body ast.Body) int {
	after := 0
	ast.WalkVars(tail, func(wanted ast.Var) bool {
		first := slices.IndexFunc(body, func(expr *ast.Expr) bool { return mentions(expr, wanted) })
		after = max(after, first+1)
		return false
	})
	return after
}

func mentions(expr *ast.Expr, wanted ast.Var) bool {
	found := false
	ast.WalkVars(expr, func(v ast.Var) bool {
		found = found || v.Equal(wanted)
		return found
	})
	return found
}

func callsTestCase(body ast.Body) bool {
	found := false
	ast.WalkExprs(body, func(expr *ast.Expr) bool {
		found = found || expr.IsCall() && expr.Operator().Equal(ast.InternalTestCase.Ref())
		return found
	})
	return found
}
