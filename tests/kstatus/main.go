// Reads objects, one JSON document a line, and writes what kstatus says of each: a status, or "error".
package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var object unstructured.Unstructured
		said := "error"
		if err := object.UnmarshalJSON(lines.Bytes()); err == nil {
			if result, err := status.Compute(&object); err == nil {
				said = result.Status.String()
			}
		}
		fmt.Println(said)
	}
}
