package app

import (
	"context"
	"errors"
	"fmt"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine/atomicfile"
	"amend/models"
)

// QuantizeConfig says how a model is to be written again.
type QuantizeConfig struct {
	Model   string `yaml:"model"`   // path or name
	Type    string `yaml:"type"`    // quantization
	Out     string `yaml:"out"`     // file to write
	Threads int    `yaml:"threads"` // 0: one for each core
	Force   bool   `yaml:"force"`   // replace the file if it exists
}

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError.
func (c QuantizeConfig) Validate() error {
	errs := []error{failure.Range("threads", c.Threads, 0, runner.MostThreads)}
	for _, needed := range []struct{ field, value string }{{"type", c.Type}, {"out", c.Out}} {
		if needed.value == "" {
			errs = append(errs, failure.Missing(needed.field, ""))
		}
	}
	return errors.Join(errs...)
}

// Quantized is a model that was written in another quantization.
type Quantized struct {
	Type          models.FileType
	Before, After models.Info
}

// quantizer writes the model at in to out in the quantization that fileType names.
type quantizer func(ctx context.Context, in, out, fileType string, threads int) error

// lossyBits is the fewest bits a weight of a model that is not quantized.
const lossyBits = 15

// Quantize writes a model in another quantization. The file is checked before it gets its name.
func Quantize(ctx context.Context, env Env, c QuantizeConfig) (Quantized, error) {
	return quantize(ctx, env, c, runner.Quantize)
}

func quantize(ctx context.Context, env Env, c QuantizeConfig, write quantizer) (q Quantized, err error) {
	if err := c.Validate(); err != nil {
		return q, err
	}
	if q.Type, err = models.ParseFileType(c.Type); err != nil {
		return q, failure.Input(err)
	}
	in, err := runner.Find(c.Model)
	if err != nil {
		return q, err
	}
	if err := refuseExisting(c.Out, c.Force); err != nil {
		return q, err
	}
	if q.Before = in.Info(); q.Before.BitsPerWeight < lossyBits {
		env.Log.Warn("the model is quantized already: what that lost stays lost, and another quantization adds its own error", "model", in.Path, "type", q.Before.Quantization)
	}
	err = atomicfile.Replace(c.Out, func(tmp string) error {
		if err := write(ctx, in.Path, tmp, q.Type.String(), c.Threads); err != nil {
			return err
		}
		made, err := models.Open(tmp)
		if err != nil {
			return fmt.Errorf("the result: %w", err)
		}
		q.After = made.Info()
		return nil
	})
	if err != nil {
		return q, fmt.Errorf("quantize %s to %s: %w", in.Path, q.Type, err)
	}
	q.After.Path = c.Out
	return q, nil
}
