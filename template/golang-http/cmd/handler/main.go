// Command handler serves the function at the module's root behind of-watchdog.
package main

import (
	"os"
	_ "time/tzdata" // the image has none

	function "github.com/hearth-home/hearth"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/serve"
)

func main() {
	e := config.Process()
	os.Exit(serve.Run(serve.Func(function.Handle, e), e))
}
