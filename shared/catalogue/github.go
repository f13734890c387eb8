package catalogue

const fiveWeeks = 35 * 24 * 60 * 60 // seconds: GitHub ends a run that takes longer

var github = []Measurement{
	{
		Name: "github_usage", About: "GitHub Actions of an owner, from the first of the month to the day", Function: "github",
		Labels: []string{"owner"},
		Fields: []Field{
			{Key: "minutes_used", Title: "Minutes used", Unit: "min", Max: 1e7},
			{Key: "minutes_included", Title: "Minutes included", Unit: "min", Max: 1e7},
			{Key: "minutes_left", Title: "Minutes left", Unit: "min", Max: 1e7, Warn: Threshold{Below: 200, HasBelow: true, Hysteresis: 50}},
			{Key: "gross_usd", Title: "Cost before discounts", Unit: "$", Max: 1e6},
			{Key: "net_usd", Title: "Cost", Unit: "$", Max: 1e6},
		},
	},
	{
		Name: "github_workflow_run", About: "An attempt of a GitHub workflow that ended, at the time it started", Function: "github",
		Labels: []string{"repo", "workflow"},
		Fields: []Field{
			{Key: "duration_seconds", Title: "Duration", Unit: "s", Max: fiveWeeks},
			{Key: "run_attempt", Title: "Attempt", Min: 1, Max: 1000},
			{Key: "success", Title: "Success", Max: 1},
		},
		Text: []string{"conclusion", "branch", "event"},
	},
}
