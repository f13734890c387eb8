package catalogue

import "time"

const fiveWeeks = 35 * 24 * 60 * 60 // seconds: GitHub ends a run that takes longer

var _ = declare(Family{Function: "github", Private: true, place: 60, Title: "GitHub", About: "Minutes and cost of GitHub Actions, workflow runs, Dependabot alerts", Measurements: []Measurement{
	{
		Name: "github_usage", Title: "GitHub Actions", About: "Minutes and cost of an owner, from the first of the month to the day",
		Labels: []string{"owner"}, Day: true,
		Fields: []Field{
			{Key: "minutes_used", Title: "Minutes used of the plan", Unit: "min", Max: 1e7},
			{Key: "minutes_run", Title: "Minutes run", Unit: "min", Max: 1e7, Show: Hidden},
			{Key: "minutes_included", Title: "Minutes included", Unit: "min", Max: 1e7},
			{Key: "minutes_left", Title: "Minutes left", Unit: "min", Max: 1e7, Warn: below(200, 50, Threshold{Title: "The minutes of GitHub Actions are nearly spent", Next: "Run fewer workflows until the end of the month, or raise the budget."})},
			{Key: "gross_usd", Title: "Cost before discounts", Unit: "$", Max: 1e6},
			{Key: "net_usd", Title: "Cost", Unit: "$", Max: 1e6},
		},
	},
	{
		Name: "github_cost", Title: "GitHub cost", About: "Cost of a day by repository and product",
		Labels: []string{"owner", "repo", "product"}, Day: true,
		Fields: []Field{
			{Key: "net_usd", Title: "Cost", Unit: "$", Max: 1e6},
			{Key: "gross_usd", Title: "Cost before discounts", Unit: "$", Max: 1e6, Show: Hidden},
		},
	},
	{
		Name: "github_token", Title: "GitHub token", About: "How long the token is valid from the day on, if it expires", Day: true,
		Fields: []Field{{Key: "valid_seconds", Title: "Valid for", Unit: "s", Min: -1e9, Max: 1e10}},
	},
	{
		Name: "github_workflow_run", Title: "Workflow runs", About: "An attempt of a workflow that ended, at the time it started",
		Labels: []string{"repo", "workflow"},
		Fields: []Field{
			{Key: "duration_seconds", Title: "Duration", Unit: "s", Max: fiveWeeks},
			{Key: "run_attempt", Title: "Attempt", Min: 1, Max: 1000},
			{Key: "success", Title: "Success", Max: 1, Show: Hidden}, // the conclusion says it
		},
		Text: []string{"conclusion", "branch", "event"},
	},
	{
		Name: "github_alerts", Title: "Dependabot alerts", About: "How many alerts of a repository are open by severity, when they were last read on a day",
		Labels: []string{"repo", "severity"}, Term: "severity", Order: []string{"critical", "high", "medium", "low"}, Day: true, Cadence: 24 * time.Hour,
		Fields: []Field{{Key: "open_alerts", Title: "Open alerts", Max: 1e6}},
	},
}})
