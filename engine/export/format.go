// Package export makes training sets of finished runs: the rows that supervised, preference and reward training read,
// as JSONL or Parquet in shards, with a dataset card. Rows are streamed, in the order of the run; the same run and
// options give the same bytes.
package export

import (
	"strconv"

	"amend/engine/chat"
	"amend/engine/revise"
)

// Format is what a training set is for.
type Format string

// The formats. Their columns are those that TRL's trainers read.
const (
	SFT    Format = "sft"    // messages: prompt and revision, for supervised fine-tuning
	DPO    Format = "dpo"    // prompt, chosen (a revision) and rejected (the first response)
	KTO    Format = "kto"    // prompt, completion and label: the two of a pair as rows of their own
	Reward Format = "reward" // chosen and rejected, each with the prompt, for reward models
	Raw    Format = "raw"    // whole traces
)

// Formats lists the formats.
func Formats() []Format { return []Format{SFT, DPO, KTO, Reward, Raw} }

// Encoding is how rows are written.
type Encoding string

// The encodings.
const (
	JSONL   Encoding = "jsonl"
	Parquet Encoding = "parquet" // zstd
)

// Encodings lists the encodings.
func Encodings() []Encoding { return []Encoding{JSONL, Parquet} }

type sftRow struct {
	ID         string         `json:"id" parquet:"id"` // of the run's row
	Messages   []chat.Message `json:"messages" parquet:"messages,list"`
	Round      int32          `json:"round" parquet:"round"`                // of the revision; 0: a first response
	Principles []string       `json:"principles" parquet:"principles,list"` // drawn up to that round
}

type dpoRow struct {
	ID         string         `json:"id" parquet:"id"`
	Prompt     []chat.Message `json:"prompt" parquet:"prompt,list"`
	Chosen     []chat.Message `json:"chosen" parquet:"chosen,list"`
	Rejected   []chat.Message `json:"rejected" parquet:"rejected,list"`
	Principles []string       `json:"principles" parquet:"principles,list"`
}

type ktoRow struct {
	ID         string         `json:"id" parquet:"id"`
	Prompt     []chat.Message `json:"prompt" parquet:"prompt,list"`
	Completion []chat.Message `json:"completion" parquet:"completion,list"`
	Label      bool           `json:"label" parquet:"label"`
}

type rewardRow struct {
	ID       string         `json:"id" parquet:"id"`
	Chosen   []chat.Message `json:"chosen" parquet:"chosen,list"`
	Rejected []chat.Message `json:"rejected" parquet:"rejected,list"`
}

type rawRow struct {
	ID       string         `json:"id" parquet:"id"`
	Index    int64          `json:"index" parquet:"index"`
	Seed     string         `json:"seed" parquet:"seed"` // a text: it needs 64 bits, which JSON readers round
	Messages []chat.Message `json:"messages" parquet:"messages,list"`
	Turns    []rawTurn      `json:"turns" parquet:"turns,list"`
	Error    string         `json:"error" parquet:"error"`
}

// rawTurn leaves out how many tokens of the prompt were found in the KV cache: that depends on what ran beside the row.
type rawTurn struct {
	Kind      string   `json:"kind" parquet:"kind"`
	Round     int32    `json:"round" parquet:"round"`
	Try       int32    `json:"try" parquet:"try"` // above 0 behind a revision of the round that a gate refused
	Principle string   `json:"principle" parquet:"principle"`
	Request   string   `json:"request" parquet:"request"`
	Text      string   `json:"text" parquet:"text"`
	Think     string   `json:"think" parquet:"think"`
	End       string   `json:"end" parquet:"end"`
	Flags     []string `json:"flags" parquet:"flags,list"`
	Tokens    []int32  `json:"tokens" parquet:"tokens,list"`
	Prompt    int64    `json:"prompt_tokens" parquet:"prompt_tokens"`
	Decoded   int64    `json:"decoded_tokens" parquet:"decoded_tokens"`
	Seed      string   `json:"seed" parquet:"seed"`
	LogProb   *float64 `json:"logprob" parquet:"logprob,optional"`
	Refused   string   `json:"refused" parquet:"refused"` // why a gate refused the revision; empty where it did not
}

// Rows of pairs that a judge labelled have the probability that the chosen one is the better. KTO's rows have that of
// their pair.
type (
	labelledDPO struct {
		dpoRow
		LabelProb float64 `json:"label_prob" parquet:"label_prob"`
	}
	labelledKTO struct {
		ktoRow
		LabelProb float64 `json:"label_prob" parquet:"label_prob"`
	}
	labelledReward struct {
		rewardRow
		LabelProb float64 `json:"label_prob" parquet:"label_prob"`
	}
)

// empty is a row of the set without contents: it has its columns.
func (o *Options) empty() any {
	switch o.Format {
	case SFT:
		return sftRow{}
	case DPO:
		if o.Labels {
			return labelledDPO{}
		}
		return dpoRow{}
	case KTO:
		if o.Labels {
			return labelledKTO{}
		}
		return ktoRow{}
	case Reward:
		if o.Labels {
			return labelledReward{}
		}
		return rewardRow{}
	case Raw:
		return rawRow{}
	}
	return nil
}

func answer(text string) chat.Message { return chat.Message{Role: chat.Assistant, Text: text} }

func rawOf(rec revise.Record) rawRow {
	out := rawRow{
		ID: rec.ID, Index: int64(rec.Index), Seed: strconv.FormatUint(rec.Seed, 10), Messages: rec.Messages,
		Turns: []rawTurn{}, Error: rec.Error,
	}
	for _, t := range rec.Turns {
		raw := rawTurn{
			Kind: string(t.Kind), Round: int32(t.Round), Try: int32(t.Try), Principle: t.Principle, Request: t.Request, Text: t.Text, Think: t.Think,
			End: string(t.End), Flags: []string{}, Tokens: []int32{}, Prompt: int64(t.Prompt),
			Decoded: int64(t.Decoded), Seed: strconv.FormatUint(t.Seed, 10), LogProb: t.LogProb,
		}
		if t.Gate != nil {
			raw.Refused = string(t.Gate.Refused)
		}
		for _, f := range t.Flags {
			raw.Flags = append(raw.Flags, string(f))
		}
		raw.Tokens = append(raw.Tokens, t.Tokens...)
		out.Turns = append(out.Turns, raw)
	}
	return out
}
