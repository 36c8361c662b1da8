// Command evaluate answers for policies with OPA's own evaluator. The first line of standard input is
// {"modules": {name: text}, "entrypoints": [path], "data": …}; every further line is [entrypoint index, input].
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"log"
	"os"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/util"
)

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	line, err := in.ReadBytes('\n')
	if err != nil {
		log.Fatal(err)
	}
	queries := prepare(line)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked []json.RawMessage
		var index int
		if err := json.Unmarshal(line, &asked); err != nil {
			log.Fatal(err)
		}
		if err := json.Unmarshal(asked[0], &index); err != nil {
			log.Fatal(err)
		}
		out.Write(decide(queries[index], asked[1]))
		out.WriteByte('\n')
		if in.Buffered() == 0 {
			out.Flush()
		}
	}
}

func prepare(line []byte) []rego.PreparedEvalQuery {
	var policies struct {
		Modules     map[string]string `json:"modules"`
		Entrypoints []string          `json:"entrypoints"`
		Data        map[string]any    `json:"data"`
	}
	if err := util.UnmarshalJSON(line, &policies); err != nil {
		log.Fatal(err)
	}
	queries := []rego.PreparedEvalQuery{}
	for _, entrypoint := range policies.Entrypoints {
		options := []func(*rego.Rego){
			rego.Query("data." + strings.ReplaceAll(entrypoint, "/", ".")),
			rego.Store(inmem.NewFromObject(policies.Data)),
		}
		for name, text := range policies.Modules {
			options = append(options, rego.Module(name, text))
		}
		query, err := rego.New(options...).PrepareForEval(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		queries = append(queries, query)
	}
	return queries
}

func decide(query rego.PreparedEvalQuery, input []byte) []byte {
	value, err := ast.ValueFromReader(bytes.NewReader(input))
	if err != nil {
		log.Fatal(err)
	}
	results, err := query.Eval(context.Background(), rego.EvalParsedInput(value))
	answer := map[string]any{"kind": "value"}
	switch {
	case err != nil:
		answer["kind"] = "error"
	case len(results) == 0:
		answer["kind"] = "undefined"
	default:
		answer["value"] = results[0].Expressions[0].Value
	}
	text, err := json.Marshal(answer)
	if err != nil {
		log.Fatal(err)
	}
	return text
}
