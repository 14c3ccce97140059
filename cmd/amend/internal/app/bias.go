package app

import (
	"errors"
	"strconv"
	"strings"

	"amend/engine"
)

// ParseBias reads a logit bias, TOKEN=BIAS. The bias -inf never lets the token come.
func ParseBias(text string) (engine.Token, float64, error) {
	token, bias, ok := strings.Cut(text, "=")
	id, idErr := strconv.ParseInt(token, 10, 32)
	value, err := strconv.ParseFloat(bias, 64)
	if !ok || idErr != nil || err != nil {
		return 0, 0, errors.New("must be a token id, = and a number, such as 198=-5 or 2=-inf")
	}
	return engine.Token(id), value, nil
}
