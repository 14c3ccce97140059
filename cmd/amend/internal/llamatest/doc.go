// Package llamatest has the integration tests of engine, runner and llama.cpp: on real models, on tiny random ones of other
// architectures, and on the testbed, whose truth is known. Rows that run together say what they say alone, logits are
// llama.cpp's own to the bit or to a stated difference, and what the testbed says has the frequencies that were built into
// it. The package has tests only.
package llamatest
