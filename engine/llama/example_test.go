package llama_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"amend/engine/llama"
	"amend/models"
)

// Two tokens, one at a time, the most likely one each time.
func Example() {
	if err := generate(modelFile(), "The capital of France is", 2); err != nil {
		log.Fatal(err)
	}
	// Output: The capital of France is Paris.
}

// modelFile is where make models puts the model, or where AMEND_MODELS has it.
func modelFile() string {
	file, err := models.CachesFrom(os.Getenv).Resolve("smollm2")
	if err != nil {
		log.Fatal(err)
	}
	return file
}

func generate(file, prompt string, n int) error {
	ctx := context.Background()
	model, err := llama.LoadModel(ctx, file, llama.ModelParams{GPULayers: -1})
	if err != nil {
		return err
	}
	defer model.Close()
	work, err := model.NewContext(llama.ContextParams{Ctx: 256})
	if err != nil {
		return err
	}
	defer work.Close()
	batch, err := llama.NewBatch(work.NBatch(), 1)
	if err != nil {
		return err
	}
	defer batch.Close()

	vocab := model.Vocab()
	tokens, err := vocab.Tokenize(prompt, true, false)
	if err != nil {
		return err
	}
	fmt.Print(prompt)
	var text llama.Streamer
	for pos := int32(0); n > 0; n-- {
		batch.Clear()
		for i, tok := range tokens {
			if err := batch.Add(tok, pos, i == len(tokens)-1, 0); err != nil {
				return err
			}
			pos++
		}
		if err := work.Decode(ctx, batch); err != nil {
			return err
		}
		logits, err := work.Logits(batch.Len() - 1)
		if err != nil {
			return err
		}
		next := best(logits)
		if vocab.IsEOG(next) {
			break
		}
		fmt.Print(text.Write(vocab.Piece(next, false)))
		tokens = []llama.Token{next}
	}
	fmt.Println(text.Flush())
	return nil
}
