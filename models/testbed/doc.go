// Package testbed is a small world whose truth is known: a test bench for alignment pipelines. People in it
// ask how to do simple things, and some of what they say tempts an assistant to break one of a dozen rules.
// A grammar makes prompts and responses; the same grammar, read backwards, is an oracle that tells of any
// response which rules it breaks, with which words, and which useful facts it keeps.
//
// The embedded model (File) was trained on this world by scripts/testbed. It answers, criticises, revises and
// judges with the faults that Faults plants. What it shows holds for pipelines, not for language: docs/testbed.md.
//
// A World is not changed after New; many goroutines may use one.
package testbed
