package models

import (
	"slices"
	"strings"

	"amend/engine/nearest"
)

// What llama.cpp v0.5.0 can load (LLM_ARCH_NAMES in src/llama-arch.cpp; a test compares), by what it can be used for.
const (
	// causalArchs generate text left to right, which is all that this engine does.
	causalArchs = "" +
		"llama llama4 deci falcon grok gpt2 gptj gptneox mpt baichuan starcoder refact bloom stablelm qwen " +
		"qwen2 qwen2moe qwen2vl qwen3 qwen3moe qwen3next qwen3vl qwen3vlmoe qwen35 qwen35moe qwen4exp phi2 " +
		"phi3 phimoe plamo plamo2 plamo3 codeshell orion internlm2 minicpm minicpm3 gemma gemma2 gemma3 " +
		"gemma3n gemma4 starcoder2 mamba mamba2 maple jamba falcon-h1 xverse command-r cohere2 cohere2moe " +
		"dbrx olmo olmo2 olmoe muse-glimmer openelm arctic deepseek deepseek2 deepseek2-ocr deepseek32 " +
		"deepseek4 chatglm glm4 glm4moe glm-dsa bitnet jais jais2 nemotron nemotron_h nemotron_h_moe exaone " +
		"exaone4 exaone-moe rwkv6 rwkv6qwen2 rwkv7 arwkv7 granite granitemoe granitehybrid graniteswitch " +
		"granite_swa chameleon plm bailingmoe bailingmoe2 bailingmoe3 dots1 dots3note arcee afmoe laguna " +
		"ernie4_5 ernie4_5-moe hunyuan-moe hunyuan-dense hunyuan_vl hy_v3 hy_v4 smollm3 gpt-oss lfm2 lfm2moe " +
		"smallthinker seed_oss grovemoe apertus minimax-01 hrm_text minimax-m2 minimax-m3 cogvlm " +
		"pangu-embedded mistral3 mistral4 paddleocr mimo2 step35 spark2_5 maincoder kimi-linear kimi-k3 talkie " +
		"mellum nanbeige"

	// encoderArchs turn text into vectors.
	encoderArchs = "bert modern-bert nomic-bert nomic-bert-moe neo-bert jina-bert-v2 jina-bert-v3 eurobert t5encoder gemma-embedding llama-embed"

	// encoderDecoderArchs need an encoder pass before each generation.
	encoderDecoderArchs = "t5"

	// diffusionArchs fill in masked text in many passes, in no order.
	diffusionArchs = "dream llada llada-moe rnd1"

	// draftArchs only propose tokens for another model.
	draftArchs = "eagle3 dflash gemma4-assistant"

	// otherArchs produce or read images and sound.
	otherArchs = "clip wavtokenizer-dec qwen3tts pockettts"
)

// poolingUnspecified is what a file says that leaves pooling to the program
// (LLAMA_POOLING_TYPE_UNSPECIFIED, −1).
const poolingUnspecified = 1<<32 - 1

// Generative says whether the model can be run: nil, or an error that matches ErrInvalid and says what the
// file is instead (an encoder, an adapter, a vocabulary, an architecture that this llama.cpp does not know).
func (m *Model) Generative() error {
	f := m.Parts[0]
	arch, ok := f.String("general.architecture")
	if !ok || arch == "" {
		return invalidf("%s: metadata has no string general.architecture, so it is not a language model", m.Path)
	}
	if kind, _ := f.String("general.type"); kind == "adapter" {
		return invalidf("%s is a LoRA adapter for %s, not a model: give the model it was made for", m.Path, arch)
	}
	if why := refusal(arch); why != "" {
		return invalidf("%s: architecture %q %s", m.Path, arch, why)
	}
	if pooling, ok := f.uint(arch + ".pooling_type"); ok && pooling != 0 && uint32(pooling) != poolingUnspecified {
		return invalidf("%s is an embedding model (%s.pooling_type is %d): it makes vectors, not text", m.Path, arch, pooling)
	}
	if causal, ok := f.Value(arch + ".attention.causal").(bool); ok && !causal {
		return invalidf("%s is an encoder (%s.attention.causal is false): it makes vectors, not text", m.Path, arch)
	}
	if m.tensors() == 0 {
		return invalidf("%s holds a vocabulary and no weights: it can be a tokenizer for `amend model synth`, not a model to run", m.Path)
	}
	return nil
}

// refusal says why an architecture cannot be run, empty when it can.
func refusal(arch string) string {
	in := func(list string) bool { return slices.Contains(strings.Fields(list), arch) }
	switch {
	case in(causalArchs):
		return ""
	case in(encoderArchs):
		return "is an encoder: it makes vectors, not text; give a model that generates"
	case in(encoderDecoderArchs):
		return "is an encoder-decoder, which is not supported: give a decoder-only model"
	case in(diffusionArchs):
		return "is a diffusion model, which is not supported: give one that generates left to right"
	case in(draftArchs):
		return "only drafts for another model: give that model"
	case in(otherArchs):
		return "is not a text model"
	}
	why := "is not one that this llama.cpp (v0.5.0) knows"
	if near := nearest.Names(arch, strings.Fields(causalArchs)); len(near) > 0 {
		why += "; the nearest are " + strings.Join(near, ", ")
	}
	return why
}
