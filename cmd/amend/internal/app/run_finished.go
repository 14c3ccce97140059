package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/models"
)

// finished reports whether the run has all its rows, by the same inputs and settings. It reads files, and loads no model.
// Where it cannot be sure it says false: the model then says what is to be done.
func (h *planHost) finished(ctx context.Context) (bool, error) {
	if err := h.look(); err != nil || h.snapshot == nil {
		return false, err
	}
	ids, err := h.done()
	if err != nil {
		return false, err
	}
	done := map[string]bool{}
	for _, id := range ids {
		done[id] = true
	}
	for _, r := range h.in.job.rows() {
		if !done[r.ID] {
			return false, nil
		}
	}
	return h.unchanged(ctx)
}

// unchanged compares what the run was made with and what it would be continued with. Checksums of large files come last.
func (h *planHost) unchanged(ctx context.Context) (bool, error) {
	c, was := h.in.job.Config, h.snapshot.Manifest.Results
	if c.CriticURL != "" {
		now := contents{Server: cmp.Or(c.CriticURLModel, was.ServerModel), Constitution: h.in.document.Hash(), Prompts: h.in.job.PromptsSHA, Responses: h.in.job.Responses}
		return len(h.changes(c.results(now))) == 0, nil
	}
	file, err := runner.Find(c.Model)
	if err != nil {
		return false, err
	}
	adapter := runner.ParseAdapter(c.LoRA)
	now := contents{
		Model: was.ModelSHA256, ModelSize: int64(file.Size()), Adapter: was.LoRASHA256, AdapterScale: adapter.Scale,
		Constitution: h.in.document.Hash(), Prompts: h.in.job.PromptsSHA, Grammar: hashText(h.in.job.Grammar), Responses: h.in.job.Responses,
	}
	keys, err := runner.FileKVType(c.Context.KVType, file.Info(), c.Compute.GPULayers)
	if err != nil {
		return false, failure.Input(err)
	}
	now.KeyType = keys.String()
	if now.Template, err = templateHash(c.Compute, file); err != nil {
		return false, err
	}
	if len(h.changes(c.results(now))) > 0 {
		return false, nil
	}
	if sum, err := file.SHA256(ctx); err != nil || sum != was.ModelSHA256 {
		return false, err
	}
	if adapter.Path == "" {
		return was.LoRASHA256 == "", nil
	}
	on, err := models.Open(adapter.Path)
	if err != nil {
		return false, failure.Input(err)
	}
	sum, err := on.SHA256(ctx)
	return sum == was.LoRASHA256, err
}

// templateHash is the checksum of the chat template that a model would be opened with.
func templateHash(c runner.ComputeConfig, file *models.Model) (string, error) {
	switch {
	case c.Chat == runner.ChatPlain:
		return "", nil
	case c.Template != "":
		source, err := runner.ReadTemplate(c.Template)
		return hashText(source), failure.Input(err)
	}
	return file.Info().TemplateSHA256, nil
}

// hashText is the SHA-256 of a text; empty for none.
func hashText(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
