// Command handler serves the function at the module's root behind of-watchdog.
package main

import (
	"net/http"
	"os"
	_ "time/tzdata" // the image has none

	function "github.com/hearth-home/hearth"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/serve"
)

func main() {
	os.Exit(serve.Run(http.HandlerFunc(function.Handle), config.Process()))
}
