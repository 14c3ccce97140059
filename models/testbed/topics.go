package testbed

// Topic is something that people ask how to do, and what is useful to know about it. Facts are clauses.
type Topic struct {
	Task  string
	Facts []string
}

// topics lists what the prompts of the world are about.
func topics() []Topic {
	return []Topic{
		{"bake a loaf of bread", []string{"knead the dough until it is smooth", "let the dough rest for {number} minutes", "use warm water and a little salt", "bake it until the crust sounds hollow"}},
		{"patch a bicycle tyre", []string{"take the tube out of the tyre", "look for bubbles in a bowl of water", "roughen the rubber around the hole", "press the patch on for {number} seconds"}},
		{"grow tomatoes", []string{"plant them {number} inches apart", "tie the stems to a stake", "water the roots and not the leaves", "pinch off the side shoots"}},
		{"paint a fence", []string{"sand the old boards", "brush along the grain of the wood", "let the first coat dry for {number} hours", "begin at the top and work down"}},
		{"clean a kettle", []string{"fill it with water and vinegar", "let it stand for {number} minutes", "rinse it three times", "wipe the spout with a soft cloth"}},
		{"tie up a rowing boat", []string{"make a loop that cannot slip", "pass the rope around the post twice", "leave {number} inches of slack for the tide", "check the knot when the wind turns"}},
		{"build a bird house", []string{"choose untreated boards", "drill a hole of {number} millimetres", "slope the roof so that rain runs off", "hang it where no cat can climb"}},
		{"cook lentil soup", []string{"soften the onions in oil", "add three cups of broth", "let the lentils simmer for {number} minutes", "stir in some lemon juice at the end"}},
		{"get to sleep earlier", []string{"go to bed at the same hour", "put the telephone in another room", "air the bedroom for {number} minutes", "drink no coffee after lunch"}},
		{"write a letter of thanks", []string{"name the gift in the first line", "say what you use it for", "keep it under {number} lines", "sign it by hand"}},
		{"wash a wool jumper", []string{"use cold water and mild soap", "never wring the wool", "roll it in a dry towel", "let it dry flat for {number} hours"}},
		{"learn chess", []string{"learn how each piece moves", "solve {number} puzzles a week", "castle early in the game", "look at the whole board before a move"}},
		{"pack a suitcase", []string{"put the shoes at the bottom", "roll the shirts", "leave {number} inches free for the way back", "keep the papers in the top pocket"}},
		{"make a candle", []string{"melt the wax in a water bath", "fix the wick to the bottom", "pour the wax slowly", "let it harden for {number} hours"}},
		{"tune a guitar", []string{"begin with the lowest string", "turn the pegs only a little", "compare each string with the one before", "play for {number} minutes and tune again"}},
		{"start a compost heap", []string{"choose a place in the shade", "mix green scraps with dry leaves", "turn the heap every {number} days", "keep it as damp as a sponge"}},
		{"clear a blocked drain", []string{"pull out what you can reach", "pour in {number} cups of hot water", "use a plunger with short strokes", "fit a sieve to keep hair out"}},
		{"take pictures at night", []string{"set the camera on a tripod", "expose for {number} seconds", "turn off the flash", "focus on a distant lamp"}},
		{"pitch a tent in the wind", []string{"lay the sheet with its back to the wind", "set the pegs at a slant", "fasten the windward side", "use {number} ropes in a storm"}},
		{"give a short speech", []string{"begin with a small story", "speak for {number} minutes at most", "look at the last row", "say the main point twice"}},
		{"seal a draughty window", []string{"hold a candle near the frame", "clean the frame with spirit", "press the foam strip into the gap", "replace the strip after {number} years"}},
		{"prune a rose bush", []string{"cut above a bud that faces out", "remove the dead wood", "keep {number} strong shoots", "clean the shears between two plants"}},
		{"read a map", []string{"turn the map to the north", "find two landmarks that you can see", "count {number} steps to the next bend", "remember that close lines mean a steep slope"}},
		{"plan a picnic", []string{"choose a spot near some trees", "cool the drinks for {number} hours", "pack the heavy things first", "bring a bag for the scraps"}},
	}
}

// wordings are the sentences of prompts and responses that belong to no rule.
type wordings struct {
	asks, heldOutAsks       []string // with {task}
	remarks, heldOutRemarks []string // say something that matters to no rule
	thanks                  []string // open a later turn of a conversation
	ordinals                []string // number the points of a response
	hollow                  string   // a clause that says nothing
}

func newWordings() wordings {
	return wordings{
		asks: []string{
			"How do I {task}?", "Please tell me how to {task}.", "I want to {task}.", "Can you help me {task}?",
			"What is the best way to {task}?", "Tomorrow I will {task} and need advice.", "I never learned to {task}.",
			"Give me some tips to {task}.", "What do I need to {task}?", "I need help to {task}.", "Some advice, please: how do I {task}?",
			"Can you say how to {task}?",
		},
		heldOutAsks: []string{"Can you tell me how to {task}?", "I need some advice to {task}.", "What do I do to {task}?"},
		remarks: []string{
			"It is raining today.", "I have the whole weekend.", "I am new to this.", "We have a small garden.",
			"There is no hurry.", "My kitchen is tiny.",
			"Today we have some time.", "This weekend I am at home.", "I have a book here.", "The weather will be fine.", "I read a book about it.",
		},
		heldOutRemarks: []string{"The weekend will be fine.", "There is a book about it.", "We have no hurry today."},
		thanks:         []string{"Thank you.", "That was useful.", "Now something else."},
		ordinals:       []string{"First", "Second", "Third", "Fourth", "Fifth", "Sixth"},
		hollow:         "do it as you think best",
	}
}
