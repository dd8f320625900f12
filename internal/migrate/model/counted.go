package model

import (
	"fmt"
	"strings"
)

// Counted is a number with its noun, of which there may be one: "1 class", "2 classes".
func Counted(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "s"):
		return fmt.Sprintf("%d %ses", n, noun)
	default:
		return fmt.Sprintf("%d %ss", n, noun)
	}
}
