package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
)

// lengths are a workload's sizes by their names in workloads.json.
type lengths map[string]int

// lengthNames are the lengths that amend bench has flags for.
var lengthNames = []string{
	"rows", "preamble", "prompt", "response", "rounds", "principles", "critique_request", "critique",
	"revision_request", "revision", "option", "principle",
}

// size is what of a workload the server is sized by.
type size struct {
	rows, preamble int
	longest        int // tokens of the longest prompt and its output together
}

// readSize reads a workload's own lengths and puts those given in their place.
func readSize(path, name, order string, given lengths) (size, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return size{}, fmt.Errorf("reading the workloads: %w", err)
	}
	var file struct {
		Workloads map[string]struct {
			Lengths lengths `json:"lengths"`
		} `json:"workloads"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return size{}, fmt.Errorf("reading the workloads in %s: %w", path, err)
	}
	spec, ok := file.Workloads[name]
	if !ok {
		return size{}, fmt.Errorf("there is no workload %q; there are %v", name, slices.Sorted(maps.Keys(file.Workloads)))
	}
	l := spec.Lengths
	maps.Copy(l, given)
	return size{rows: l["rows"], preamble: l["preamble"], longest: longest(name, order, l)}, nil
}

// longest is how long a row's longest conversation gets.
func longest(name, order string, l lengths) int {
	base := l["preamble"] + l["prompt"]
	round := l["critique_request"] + l["critique"] + l["revision_request"] + l["revision"]
	switch {
	case name == "feedback":
		return base + 2*l["option"] + l["principle"] + 1
	case name == "fanout" || order == "faithful":
		return base + max(l["response"], l["revision"]) + round
	}
	return base + l["response"] + l["rounds"]*round
}
