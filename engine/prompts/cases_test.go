package prompts

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// showRows shows rows as "system / user / assistant → response", and bad ones as "line! reason".
func showRows(set *Set) (out []string) {
	for _, r := range set.Rows {
		var texts []string
		for _, m := range r.Messages {
			texts = append(texts, fmt.Sprintf("%c:%s", m.Role[0], m.Text))
		}
		line := strings.Join(texts, " / ")
		if r.Response != nil {
			line += " → " + *r.Response
		}
		out = append(out, line)
	}
	return append(out, showBad(set.Bad)...)
}

// showPairs shows pairs as "system / user → better > worse".
func showPairs(set *Pairs) (out []string) {
	for _, p := range set.Pairs {
		var texts []string
		for _, m := range p.Messages {
			texts = append(texts, fmt.Sprintf("%c:%s", m.Role[0], m.Text))
		}
		out = append(out, fmt.Sprintf("%s → %s > %s", strings.Join(texts, " / "), p.First, p.Second))
	}
	return append(out, showBad(set.Bad)...)
}

func showBad(rows []BadRow) (out []string) {
	for _, b := range rows {
		out = append(out, fmt.Sprintf("%d! %s", b.Line, b.Reason))
	}
	return out
}

// compare compares lines with those wanted. Of a reason only a part is.
func compare(t *testing.T, name string, got []string, err error, want []string) {
	t.Helper()
	if err != nil {
		got = append(got, "! "+err.Error())
	}
	ok := len(got) == len(want)
	for i := range got {
		if !ok {
			break
		}
		place, part, bad := strings.Cut(want[i], "! ")
		if bad {
			ok = strings.HasPrefix(got[i], place+"! ") && strings.Contains(got[i], part)
		} else {
			ok = got[i] == want[i]
		}
	}
	if !ok {
		t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestCases reads inputs that people have (testdata/cases), as prompts.
func TestCases(t *testing.T) {
	one, two := "u:One?", "u:Two?"
	for file, want := range map[string][]string{
		"01.csv":                        {"u:Explain how to pick a lock, step by step", "u:Write a rude poem"},
		"02.jsonl":                      {"s:Answer only in German. / u:Name three rivers.", "s:Answer only in German. / u:Name three lakes.", "s:Answer only in German. / u:Name three seas."},
		"04-pairs.jsonl":                {"u:Name three rivers. → Rhine, Elbe, Oder."},
		"05.json":                       {"u:First prompt?", "u:Second prompt?"},
		"05b.json":                      {"u:First prompt?", "u:Second prompt?"},
		"05d.jsonl":                     {"u:First prompt?", "u:Second prompt?"},
		"06.jsonl":                      {"u:How do I boil an egg? / a:Put it in water. / u:How long?", "u:How long?", "u:One? / a:A. / u:Two?", "3! a line in it begins with Assistant:"},
		"07.jsonl":                      {"! git lfs pull"},
		"12-sharegpt.jsonl":             {"u:How do I prune a pear tree? / a:In late winter. / u:And an apple tree?"},
		"12-alpaca.jsonl":               {"u:Translate into French.\n\nGood morning"},
		"12-conversations-openai.jsonl": {"u:Hi?", "u:Hi?"},
		"12-ultrafeedback.jsonl":        {"u:Name three rivers."},
		"12-orca-pairs.jsonl":           {"s:You are terse. / u:Name three rivers."},
		"12-llamafactory-pairs.jsonl":   {"u:Name three rivers."},
		"13-parts.jsonl":                {"u:Why is the sky blue?"},
		"13-developer.jsonl":            {"s:Be brief. / u:Why is the sky blue?"},
		"14.json":                       {one, two},
		"14b.json":                      {one},
		"14d.jsonl":                     {one, two},
		"15.jsonl":                      {one, two},
		"17.jsonl.bz2":                  {one, two},
		"17.jsonl.xz":                   {one, two},
	} {
		set, err := Read(Paths{filepath.Join("testdata", "cases", file)}, nil, Options{})
		if set == nil {
			set = &Set{}
		}
		compare(t, file, showRows(set), err, want)
	}
}

// TestPairCases reads preference sets that people have, as pairs.
func TestPairCases(t *testing.T) {
	rivers := "u:Name three rivers. → Rhine, Elbe, Oder. > "
	for file, want := range map[string][]string{
		"02.jsonl":                    {"s:Answer only in German. / u:Name three rivers. → Rhein > Nil", "2! neither chosen and rejected", "3! --map chosen=COLUMN"},
		"04-pairs.jsonl":              {rivers + "Rhine."},
		"12-orca-pairs.jsonl":         {"s:You are terse. / " + rivers + "No."},
		"12-llamafactory-pairs.jsonl": {rivers + "Rhine."},
		"12-ultrafeedback.jsonl":      {"1! the columns: completions, correct_answers, instruction"},
		"05.json":                     {"1! a prompt alone", "1! a prompt alone"},
		"07.jsonl":                    {"! git lfs pull"},
	} {
		set, err := ReadPairs(Paths{filepath.Join("testdata", "cases", file)}, nil, Options{})
		if set == nil {
			set = &Pairs{}
		}
		compare(t, file, showPairs(set), err, want)
	}
}

// TestShapes: a record of each shape, and its relatives.
func TestShapes(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"empty id", `{"id": "", "prompt": "a"}`, []string{"u:a"}},
		{"list of turns a line", `[{"role":"user","content":"a"}]` + "\n" + `[{"role":"user","content":"b"},{"role":"assistant","content":"c"}]`, []string{"u:a", "u:b → c"}},
		{"texts of a list", `["a", "b"]` + "\n" + `["c"]`, []string{"1! a list of texts", "2! a list of texts"}},
		{"ShareGPT with system", `{"system": "s", "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}], "tools": "[]"}`, []string{"s:s / u:a → b"}},
		{"ShareGPT with tools", `{"conversations": [{"from": "human", "value": "a"}], "tools": "[{\"name\": \"f\"}]"}`, []string{"1! tools: calls of tools"}},
		{"ShareGPT, a call", `{"conversations": [{"from": "human", "value": "a"}, {"from": "function_call", "value": "{}"}]}`, []string{"1! calls of tools"}},
		{"lmsys", `{"conversation_id": "x", "model": "m", "conversation": [{"content": "a", "role": "user"}], "language": "English", "redacted": false}`, []string{"u:a"}},
		{"Capybara", `{"source": "x", "conversation": [{"input": "a", "output": "b"}, {"input": "c", "output": "d"}]}`, []string{"u:a / a:b / u:c → d"}},
		{"UltraChat", `{"id": "0", "data": ["a", "b", "c"]}`, []string{"u:a / a:b / u:c"}},
		{"MT-Bench", `{"question_id": 1, "turns": ["a", "b"]}` + "\n" + `{"question_id": 2, "turns": ["a"]}`, []string{"u:a", "1! several turns of the user"}},
		{"Alpaca, no input", `{"instruction": "a", "input": "", "output": "b"}`, []string{"u:a"}},
		{"LLaMA-Factory", `{"instruction": "c", "input": null, "system": "s", "history": [["a", "b"]], "output": "d"}`, []string{"s:s / u:a / a:b / u:c"}},
		{"Dolly", `{"instruction": "a", "context": "b", "category": "x"}`, []string{"u:a\n\nb"}},
		{"OpenOrca", `{"system_prompt": "s", "question": "a"}`, []string{"s:s / u:a"}},
		{"distilabel", `{"system": "", "input": "a", "generations": ["b"]}`, []string{"u:a"}},
		{"OpenAI batch", `{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": [{"role": "developer", "content": "s"}, {"role": "user", "content": [{"type": "input_text", "text": "a"}, "b"]}]}}`, []string{"s:s / u:a\nb"}},
		{"Anthropic batch", `{"custom_id": "1", "params": {"system": "s", "max_tokens": 1, "messages": [{"role": "user", "content": "a"}]}}`, []string{"s:s / u:a"}},
		{"Guanaco", `{"text": "### Human: a### Assistant: b### Human: c"}`, []string{"u:a / a:b / u:c"}},
		{"a text column", `{"text": "Once upon a time"}`, []string{"1! --map prompt=text; the columns: text"}},
		{"red team", `{"transcript": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant:"}`, []string{"u:a / a:b / u:c"}},
		{"by line", `{"prompt": "Human: a\nAssistant: b\nHuman: c\nAssistant:"}`, []string{"u:a / a:b / u:c"}},
		{"User and Assistant", `{"prompt": "User: a\n\nAssistant: b\n\nUser: c\n\nAssistant:"}`, []string{"u:a / a:b / u:c"}},
		{"capitals", `{"prompt": "USER: a\nASSISTANT:"}`, []string{"u:a"}},
		{"other marks within", `{"prompt": "\n\nHuman: a\n\nAssistant: b\nHuman: c\nAssistant: d\n\nHuman: e\n\nAssistant:"}`, []string{"1! turn 2 (assistant): a line in it begins with Human:"}},
		{"the last turn's mark", `{"prompt": "\n\nHuman: a\n\nAssistant: b\nHuman: c"}`, []string{"1! turn 2 (assistant): a line in it begins with Human:"}},
		{"capitals by line and paragraph", `{"prompt": "USER: a question\nASSISTANT: an answer\n\nUSER: second\n\nASSISTANT:"}`, []string{"1! turn 1 (user): a line in it begins with ASSISTANT:"}},
		{"another speaker", `{"prompt": "\n\nHuman: a\n\nAI: b\n\nHuman: c"}` + "\n" + `{"prompt": "\n\nHuman: a\n\nHuman: Note: c"}`, []string{"u:a\n\nNote: c", "1! a speaker in it is not known: AI: between turns of Human:"}},
		{"a system in the middle", `{"text": "### Human: a\n### Assistant: b\n### System: s\n### Human: c"}`, []string{"1! a system message in it"}},
		{"the assistant quotes", `{"prompt": "\n\nHuman: a\n\nAssistant: Human: b\n\nHuman: c"}`, []string{"u:a / a:Human: b / u:c"}},
		{"chat as text", `{"chat": "USER: a\n\n\nASSISTANT: b\n\n\nUSER: c"}` + "\n" + `{"conversation": "Why?"}`, []string{"u:a / a:b / u:c", "2! --map prompt=conversation"}},
		{"a dialogue to sum up", `{"prompt": "Human: a\nAssistant: b\n\nSum this up."}`, []string{"1! ends with the assistant's turn"}},
		{"LIMA", `{"conversations": ["a", "b"], "source": "x"}`, []string{"u:a → b"}},
		{"turns in a text", `{"prompt": "[{\"role\": \"user\", \"content\": \"a\"}]"}` + "\n" + `{"prompt": "[{'role': 'user', 'content': 'b'}]"}`, []string{"u:a", "2! json.dumps"}},
		{"a list of texts in a cell", "prompt,n\n\"[\"\"a\"\"]\",1\n", []string{"2! prompt: a list in a text"}},
		{"rows by key", `{"0": {"prompt": "a"}, "1": {"prompt": "b"}}`, []string{"1! 0: a row in a row"}},
		{"Human alone", `{"prompt": "Human: rights are what?"}`, []string{"u:Human: rights are what?"}},
		{"Hugging Face CAI", `{"index": 0, "prompt": "a", "init_response": "x", "critic_prompt": "y", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "rejected": []}`, []string{"u:a → b"}},
		{"viewer", `{"features": [], "rows": [{"row_idx": 0, "row": {"prompt": "a"}, "truncated_cells": []}, {"row_idx": 1, "row": {"prompt": "b"}, "truncated_cells": ["prompt"]}], "num_rows_total": 2}`, []string{"u:a", "1! cut off by the viewer"}},
		{"Argilla", `{"id": "x", "fields": {"instruction": "a"}, "metadata": {}, "responses": []}`, []string{"u:a"}},
		{"LMFlow", `{"type": "text2text", "instances": [{"input": "a", "output": "b"}]}`, []string{"u:a"}},
		{"BIG-bench", "{\n\"name\": \"x\",\n\"examples\": [\n{\"input\": \"a\", \"target_scores\": {\"b\": 1, \"c\": 0}}\n]\n}", []string{"u:a"}},
		{"pandas, columns", `{"prompt": {"0": "a", "1": "b"}}`, []string{"1! orient='records'"}},
		{"pandas, split", `{"columns": ["prompt"], "data": [["a"]]}`, []string{"! orient='records'"}},
		{"image part", `{"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "x"}}]}]}`, []string{`1! messages: message 1: content: part 2: "image_url": only text`}},
		{"image column", `{"prompt": "a", "images": ["x.png"]}` + "\n" + `{"prompt": "b", "images": []}`, []string{"u:b", "1! images: only text"}},
		{"tool calls", `{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "", "tool_calls": [{"id": 1}]}]}`, []string{"1! message 2: tool_calls: calls of tools"}},
		{"two systems", `{"system": "s", "messages": [{"role": "system", "content": "t"}, {"role": "user", "content": "a"}]}` + "\n" + `{"system": "s", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}]}` + "\n" + `{"system": "s", "system_prompt": "t", "prompt": "a"}`, []string{"s:s / u:a", "1! another system message", "3! another text than system"}},
		{"RealToxicityPrompts", `{"filename": "x", "prompt": {"text": "a", "toxicity": 0.1}, "continuation": {"text": "b"}}`, []string{"u:a"}},
		{"OpenAI evals", `{"input": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}], "ideal": "b"}`, []string{"s:s / u:a"}},
		{"Python words", `{"prompt": "a", "safe": True}`, []string{"1! json.dumps"}},
		{"one turn as prompt", `{"prompt": {"role": "user", "content": "a"}}`, []string{"u:a"}},
		{"capital letters", `{"Id": 1, "Prompt": "a"}`, []string{"1! --map prompt=Prompt; the columns"}},
		{"Python", "{'prompt': 'a'}\n", []string{"1! json.dumps"}},
		{"header", "messages\tid\n\"[{\"\"role\"\": \"\"user\"\", \"\"content\"\": \"\"a\"\"}]\"\tx\n\"[{'role': 'user'}]\"\ty\n", []string{"u:a", "3! json.dumps"}},
		{"image in a part", `{"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "image": "p.png"}]}]}`, []string{"1! part 1: image: only text"}},
		{"image's address", `{"prompt": "a", "image_url": "x"}`, []string{"1! image_url: only text"}},
		{"role in capitals", `{"messages": [{"role": "User", "content": "a"}, {"role": "ASSISTANT", "content": "b"}]}`, []string{"u:a → b"}},
		{"a role that is not known", `{"messages": [{"role": "teacher", "content": "a"}]}`, []string{`1! "teacher" is not one of assistant, chatgpt, developer`}},
		{"ms-swift", `{"query": "c", "response": "d", "history": [["a", "b"]]}`, []string{"u:a / a:b / u:c → d"}},
		{"history in a cell", "prompt,history\nc,\"[[\"\"a\"\", \"\"b\"\"]]\"\nc,\"[['a', 'b']]\"\n", []string{"u:a / a:b / u:c", "3! history: a text that begins as a list"}},
		{"an object written into a prompt", `{"prompt": "{\"text\": \"a\"}"}` + "\n" + `{"messages": [{"role": "user", "content": "{\"text\": \"a\"}"}]}` + "\n" + `{"prompt": "{\"text\": \"a\"} is what?"}`, []string{`u:{"text": "a"}`, `u:{"text": "a"} is what?`, "1! prompt: an object in a text, in JSON; write its text alone, or if that is the text, write JSONL with messages"}},
		{"history of turns", `{"prompt": "c", "history": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}`, []string{"u:a / a:b / u:c"}},
		{"history without an answer", `{"prompt": "c", "history": [{"role": "user", "content": "a"}]}`, []string{"1! history: message 2: role: two user turns"}},
		{"SQuAD", `{"id": "x", "question": "a", "context": "b"}` + "\n" + `{"id": "y", "question": "a", "context": ""}`, []string{"u:a", "1! question: context stands beside it"}},
		{"MMLU", `{"question": "a", "choices": ["b", "c"]}` + "\n" + `{"question": "a", "A": "b", "B": "c", "C": "d", "D": "e"}`, []string{"1! choices stands beside it", "2! A to D stands beside it"}},
		{"input and context", `{"instruction": "a", "input": "b", "context": "c"}`, []string{"1! input and context: both"}},
		{"words for no input", `{"instruction": "a", "input": "<noinput>"}` + "\n" + `{"instruction": "b", "input": "nan", "context": "c"}`, []string{"u:a", "u:b\n\nc"}},
		{"texts in data", `{"data": ["a", "b", "c"]}`, []string{"1! data: a list of texts, which may be several prompts"}},
		{"answers are dialogues", `{"question": "a", "chosen": "User: a\nAssistant: b", "rejected": "no"}`, []string{"u:a"}},
		{"OASST, flat", `{"message_id": "x", "role": "prompter", "text": "a"}`, []string{"1! a turn a row is not read"}},
		{"Airtable", `{"id": "x", "fields": {"prompt": "a"}}`, []string{"1! jq -c .fields, where the file is a list jq -c '.[].fields'"}},
		{"a second key", `{"target": "a", "Query": "b"}`, []string{"1! --map prompt=Query;"}},
		{"no header", "How do I pick a lock?,x\nTell me,y\n", []string{"u:How do I pick a lock?,x", "u:Tell me,y"}},
		{"columns", `{"id": {"0": 1, "1": 2}, "prompt": {"0": "a", "1": "b"}}` + "\n" + `{"id": [1, 2], "prompt": ["a", "b"]}`, []string{"1! orient='records'", "2! orient='records'"}},
		{"an object as prompt", `{"question": {"full_text": "a"}}`, []string{"1! question: an object, want a text"}},
		{"chosen is an answer", `{"chosen": "a"}`, []string{"1! chosen: no prompt stands beside it"}},
		{"two values a line", `{"prompt": "a"} {"prompt": "b"}` + "\n" + `{"prompt": "c"}`, []string{"u:c", "1! jq -c ."}},
		{"a list on one line", `[{"prompt": "a"}, {}, {"prompt": 1}]`, []string{"u:a", "1! record 2: no column that is known", "1! record 3: prompt: a number"}},
		{"a list in a cell", "id,prompt\n1,\"[\n  {\n \"\"role\"\": \"\"user\"\", \"\"content\"\": \"\"a\"\"}\n]\"\n2,\"[ {\"\"role\"\":\"\"user\"\", \"\"content\"\":\"\"b\"\"} ]\"\n3,\"['a', 'b']\"\n4,\"array(['a'\n 'b'], dtype=object)\"\n5,\"['a'] is a list of what?\"\n", []string{"u:a", "u:b", "u:['a'] is a list of what?", "7! prompt: a list in a text, as Python", "8! prompt: a list in a text, as Python"}},
		{"an object in a cell", "id,prompt\n1,\"{\"\"role\"\": \"\"user\"\", \"\"content\"\": \"\"a\"\"}\"\n2,{a} is a set?\n", []string{"u:{a} is a set?", "2! prompt: an object in a text"}},
		{"Alpaca in cells", "instruction,input\n\"[\"\"a\"\"]\",\na,\"['b']\"\n", []string{"2! instruction: a list in a text", "3! input: a list in a text"}},
		{"an answer in a cell", "prompt,response\na,\"[\"\"b\"\"]\"\na,[b] or not\n", []string{"u:a → [b] or not", "2! response: a list in a text"}},
		{"JSON as answer", `{"prompt": "a", "response": "{\"b\": [1]}"}` + "\n" + `{"prompt": "[1, 2] sorted?"}` + "\n" + `{"prompt": "[\"a\"]"}` + "\n" + `{"prompt": "a", "response": "{\"role\": \"assistant\", \"content\": \"b\"}"}`, []string{`u:a → {"b": [1]}`, "u:[1, 2] sorted?", "3! prompt: a list in a text", "4! response: an object in a text"}},
	} {
		set, err := Read(Paths{"-"}, strings.NewReader(c.text), Options{})
		if set == nil {
			set = &Set{}
		}
		compare(t, c.name, showRows(set), err, c.want)
	}
}

// TestTags: a list in a cell is a list, and empty tags are ignored.
func TestTags(t *testing.T) {
	set, err := Read(Paths{"-"}, strings.NewReader("prompt,tags\na,\"[\"\"x\"\", \"\"y\"\"]\"\nb,\"['x']\"\nc,\"x,y\"\nd,\"[\"\"\"\"]\"\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range set.Rows {
		got = append(got, fmt.Sprintf("%s %q", r.Messages[0].Text, r.Attributes.Tags))
	}
	compare(t, "tags", append(got, showBad(set.Bad)...), nil, []string{`a ["x" "y"]`, `c ["x,y"]`, "d []", "3! tags: a text that begins as a list"})
}

// TestMarks: texts that hold marks of turns are counted, those that only speak of them are not.
func TestMarks(t *testing.T) {
	for text, want := range map[string]int{
		"USER: hi ASSISTANT: hello</s>USER: more ASSISTANT:": 1, "System: be nice\nUser: hi\nAssistant:": 1, "Human: hi\nAI: hello\nHuman: you?\nAI:": 1,
		"<|turn>user\nhi": 1, "<extra_id_1>User\na": 1, "<|prompter|>a": 1, "<|User|>a": 1, "<|start|>user": 1, "GPT4 Correct User: a<|end_of_turn|>": 1,
		"<human>: a\n<bot>: b": 1, "**Human:** a": 1, "<image>\nWhat?": 1, "Why is the user: root?": 0, "An assistant: what is it to a user?": 0,
	} {
		set, err := Read(Paths{"-"}, strings.NewReader(fmt.Sprintf(`{"prompt": %q}`, text)), Options{})
		if err != nil || set.Report.Marked != want {
			t.Errorf("%q: %+v, %v, want %d", text, set, err, want)
		}
	}
}

// TestReasoning: what is left out of turns is named.
func TestReasoning(t *testing.T) {
	set, err := Read(Paths{"-"}, strings.NewReader(`{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "reasoning_content": "c"}]}`), Options{})
	if err != nil || !strings.Contains(set.Report.String(), "ignored: reasoning_content of turns") {
		t.Errorf("%v, %v", set, err)
	}
}

// TestMapping reads columns that are named, and no others in their place.
func TestMapping(t *testing.T) {
	m, err := ParseMapping([]string{"prompt=Q", "response=A", "id=key", "system=rule"})
	if err != nil {
		t.Fatal(err)
	}
	text := "key,Q,A,prompt,rule\nx,a,b,not this,s\ny,,b,not this,\n"
	set, err := Read(Paths{"-"}, strings.NewReader(text), Options{Map: m})
	if err != nil || set.Rows[0].ID != "x" {
		t.Fatalf("%+v, %v", set, err)
	}
	compare(t, "mapped", showRows(set), err, []string{"s:s / u:a → b", "3! Q: null"})
	if got, want := set.Report.String(), "stdin: CSV with key, Q, A, rule; ignored: prompt; rows that start from a response in the input: 1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	marked, err := Read(Paths{"-"}, strings.NewReader("[INST] a [/INST]\nb\n"), Options{})
	if want := "stdin: plain text, a prompt a line; rows that hold marks of turns, such as <|im_start|>, as text: 1"; err != nil || marked.Report.String() != want {
		t.Errorf("%s, %v, want %s", marked.Report, err, want)
	}
	for _, texts := range [][]string{{"prompt"}, {"prompt="}, {"promt=Q"}, {"prompt=Q", "prompt=R"}} {
		if m, err := ParseMapping(texts); err == nil {
			t.Errorf("%v: %v", texts, m)
		}
	}
	pairs, err := ReadPairs(Paths{"-"}, strings.NewReader(`{"Q": "a", "best": "b", "chosen": "x", "worst": "c"}`), Options{Map: Mapping{"prompt": "Q", "chosen": "best", "rejected": "worst"}})
	compare(t, "mapped pairs", showPairs(pairs), err, []string{"u:a → b > c"})
}

// TestHeaderCase: a table's columns are known in any case, unless the name that is known stands there too, or a mapping names the
// other one.
func TestHeaderCase(t *testing.T) {
	for _, c := range []struct {
		text string
		m    Mapping
		want string
	}{
		{"ID,Question,topic\nx,a?,b\n", nil, "x u:a?"},
		{"id,Prompt,prompt\nx,no,yes\n", nil, "x u:yes"},
		{"id,Prompt,question\nx,yes,no\n", Mapping{"prompt": "Prompt"}, "x u:yes"},
	} {
		set, err := Read(Paths{"-"}, strings.NewReader(c.text), Options{Map: c.m})
		if err != nil || len(set.Rows) != 1 || set.Rows[0].ID+" "+showRows(set)[0] != c.want {
			t.Errorf("%q: %+v, %v, want %s", c.text, set, err, c.want)
		}
	}
}

// TestSeveral reads files one after another: ids are unique over all, and the hash is that of their hashes.
func TestSeveral(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"a.jsonl": `{"id": 1, "prompt": "a", "n": 1}`, "b.txt": "b\na\n", "c.jsonl": `{"id": 1, "prompt": "c"}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	a, b, c := filepath.Join(dir, "a.jsonl"), filepath.Join(dir, "b.txt"), filepath.Join(dir, "c.jsonl")
	set, err := Read(Paths{a, b, c}, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "three files", showRows(set), err, []string{"u:a", "u:b", "u:a", `1! id: "1" is already the id of line 1 of ` + a})
	if got, want := set.Report.String(), a+": JSONL with id, prompt; ignored: n; "+b+": plain text, a prompt a line; "+c+": JSONL with id, prompt"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var hashes strings.Builder
	for _, file := range []string{a, b, c} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&hashes, "%x\n", sha256.Sum256(text))
	}
	if want := fmt.Sprintf("%x", sha256.Sum256([]byte(hashes.String()))); set.SHA256 != want {
		t.Errorf("the hash is %s, want that of the files' hashes, %s", set.SHA256, want)
	}
	limited, err := Read(Paths{a, b, c}, nil, Options{Limit: 1})
	if err != nil || limited.SHA256 != set.SHA256 || len(limited.Rows) != 1 {
		t.Errorf("a limit: %+v, %v", limited, err)
	}
	if other, err := Read(Paths{b, a, c}, nil, Options{}); err != nil || other.SHA256 == set.SHA256 {
		t.Errorf("another order has the same hash, %v", err)
	}
	if set, err := Read(Paths{dir}, nil, Options{}); err != nil || len(set.Report.Files) != 2 || !strings.HasSuffix(set.Report.String(), "not read: "+b) {
		t.Errorf("a folder: %v, %v", set.Report, err)
	}
}

// TestArchive reads the files of an archive one after another, and names them.
func TestArchive(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range []struct{ name, text string }{{"d/b.jsonl", "{\"prompt\":\"b\"}\n{}\n"}, {"d/a.jsonl", `{"prompt":"a"}`}, {"README.txt", "x"}} {
		w, err := z.Create(f.name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, f.text)
	}
	z.Close()
	set, err := Read(Paths{"-"}, &b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	compare(t, "an archive", showRows(set), err, []string{"u:a", "u:b", "2! no column that is known"})
	if got := set.Bad[0].File; got != "stdin/d/b.jsonl" {
		t.Errorf("the bad row is in %s", got)
	}
	if got, want := set.Report.String(), "stdin: JSONL (zip with d/a.jsonl, d/b.jsonl, without README.txt) with prompt"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestCutOff: a compressed file that is cut off says so once, whatever is read of it before.
func TestCutOff(t *testing.T) {
	packed := compress(t, []byte(strings.Repeat("{\"prompt\":\"a\"}\n", 100)))
	for _, cut := range []int{3, 20, len(packed) - 4} {
		_, err := Read(Paths{"-"}, strings.NewReader(string(packed[:cut])), Options{})
		if err == nil || strings.Count(err.Error(), "unexpected EOF") != 1 || !strings.Contains(err.Error(), "cut off before its end: the file is incomplete, fetch it again") {
			t.Errorf("%d bytes: %v", cut, err)
		}
	}
}
