package intake

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hearth-home/hearth/shared/topic"
)

func TestAFilterCoversAnother(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"a/b", "a/b", true}, {"a/b", "a/c", false}, {"a/+", "a/b", true}, {"a/b", "a/+", false}, {"a/+", "a/+", true}, {"a/+", "a/b/c", false}, {"a/+", "a/", true},
		{"a/#", "a", true}, {"a/#", "a/b/c", true}, {"a/#", "a/+", true}, {"a/#", "a/+/#", true}, {"a/+/#", "a/#", false}, {"a/#", "b/#", false}, {"a/#", "+/#", false},
		{"hearth/#", "hearth/+/status", true}, {"hearth/+/status", "hearth/#", false}, {"+/+/status", "hearth/+/status", true},
		{"#", "a/b", true}, {"#", "+", true}, {"#", "+/#", true}, {"+/#", "#", true}, {"+/#", "+", true}, {"+", "#", false}, {"+/+/#", "#", false}, {"+", "a", true},
		{"#", "$SYS/#", false}, {"#", "$SYS", false}, {"+/#", "$SYS/x", false}, {"+/x", "$SYS/x", false}, {"$SYS/#", "$SYS/+", true}, {"$SYS/#", "#", false}, {"$SYS/#", "$SYS", true},
		{"/+", "/x", true}, {"+", "/x", false}, {"+/+", "/x", true}, {"/#", "/", true}, {"+/+/#", "/#", true}, {"/+/#", "/#", true}, {"/+", "/#", false}, {"a", "a/", false}, {"a/", "a", false},
	} {
		if got := covers(tc.a, tc.b); got != tc.want {
			t.Errorf("%s covers %s: %v", tc.a, tc.b, got)
		}
	}
}

var levels = []string{"", "a", "b", "$x"}

func filters() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		f := rapid.SliceOfN(rapid.SampledFrom(append([]string{"+"}, levels...)), 0, 4).Draw(t, "levels")
		if len(f) == 0 || rapid.Bool().Draw(t, "hash") {
			f = append(f, "#")
		}
		return strings.Join(f, "/")
	}).Filter(func(f string) bool { return f != "" })
}

// witnesses are topics that a filter takes, with what stands in no other filter
// in the place of its wildcards.
func witnesses(filter string) (topics []string) {
	name := strings.ReplaceAll(filter, "+", "new")
	for _, rest := range []string{"", "new", "new/new", "new/new/new/new/new/new"} {
		if topic, hash := strings.CutSuffix(name, "#"); !hash {
			topics = append(topics, name)
		} else if rest != "" {
			topics = append(topics, topic+rest)
		} else if topic != "" {
			topics = append(topics, strings.TrimSuffix(topic, "/"))
		}
	}
	return slices.DeleteFunc(topics, func(s string) bool { return !topic.Match(filter, s) })
}

// TestCoveringIsWhatMatchingSays: a covers b if and only if it takes all that b
// takes, among random topics and those that tell them apart.
func TestCoveringIsWhatMatchingSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := filters().Draw(t, "a"), filters().Draw(t, "b")
		topics := witnesses(b)
		for range 20 {
			topics = append(topics, strings.Join(rapid.SliceOfN(rapid.SampledFrom(levels), 1, 5).Draw(t, "topic"), "/"))
		}
		all := true
		for _, name := range topics {
			all = all && (!topic.Match(b, name) || topic.Match(a, name))
		}
		if covers(a, b) != all {
			t.Fatalf("%q covers %q: %v; among %q: %v", a, b, !all, topics, all)
		}
	})
}

func TestTheWidestFiltersTakeWhatAllTake(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(filters(), 1, 8).Draw(t, "filters")
		few := widest(all)
		for i, f := range few {
			for j, g := range few {
				if i != j && covers(f, g) {
					t.Fatalf("%q of %q: %q covers %q", few, all, f, g)
				}
			}
		}
		for _, f := range all {
			if !slices.ContainsFunc(few, func(g string) bool { return covers(g, f) }) {
				t.Fatalf("%q of %q leave out %q", few, all, f)
			}
		}
	})
}
