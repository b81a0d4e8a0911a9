package structure_test

import (
	"encoding/json"
	"testing"
)

// What a narrative may show, and what must not come through one.
//
// attack: B.17
func TestNarratives(t *testing.T) {
	const open = `<div xmlns="http://www.w3.org/1999/xhtml">`
	for _, row := range []struct {
		name, div string
		good      bool
	}{
		{"text", open + `<p class="a">x &nbsp; <b>y</b></p></div>`, true},
		{"a link", open + `<a href="https://example.org/x?y=z" title="x">x</a><a href="#a">y</a><a href="/x:y">z</a></div>`, true},
		{"an image of its own", open + `<img src="#a" alt="x"/><img src="a.png"/><img src="data:image/png;base64,aGk="/></div>`, true},
		{"a background of its own", open + `<td style="background: url(data:image/png;base64,aGk=)">x</td></div>`, true},
		{"a language", `<div xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">x</div>`, true},
		{"a comment", open + `<!-- x --></div>`, true},
		{"no namespace", `<div>x</div>`, false},
		{"another namespace", `<div xmlns="http://www.w3.org/2000/svg">x</div>`, false},
		{"no div", `<p xmlns="http://www.w3.org/1999/xhtml">x</p>`, false},
		{"two divs", open + `</div>` + open + `</div>`, false},
		{"text around it", open + `</div> x`, false},
		{"no markup", `x`, false},
		{"not closed", open + `<p>x</div>`, false},
		{"never closed", open, false},
		{"a script", open + `<script>x</script></div>`, false},
		{"a script in a namespace", open + `<svg xmlns="http://www.w3.org/2000/svg"><script/></svg></div>`, false},
		{"an event", open + `<p onclick="x()">x</p></div>`, false},
		{"an event in a namespace", open + `<p y:onclick="x()" xmlns:y="urn:y">x</p></div>`, false},
		{"a link that runs", open + `<a href="javascript:x()">x</a></div>`, false},
		{"a link that runs, with blanks", open + `<a href=" java&#10;script:x()">x</a></div>`, false},
		{"a link to data", open + `<a href="data:text/html,x">x</a></div>`, false},
		{"an image from elsewhere", open + `<img src="https://example.org/pixel.png"/></div>`, false},
		{"an image from elsewhere, without a scheme", open + `<img src="//example.org/pixel.png"/></div>`, false},
		{"an image that runs", open + `<img src="data:image/svg+xml,x"/></div>`, false},
		{"a style that fetches", open + `<p style="background: url( 'https://example.org/p')">x</p></div>`, false},
		{"a style that hides that", open + `<p style="background: u\72l(https://example.org/p)">x</p></div>`, false},
		{"a style that runs", open + `<p style="width: expression(x)">x</p></div>`, false},
		{"a form", open + `<form action="/x"><input/></form></div>`, false},
		{"a frame", open + `<iframe src="a"/></div>`, false},
		{"a document type", `<!DOCTYPE div [<!ENTITY a "x">]>` + open + `</div>`, false},
		{"an instruction", open + `<?php x ?></div>`, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			div, err := json.Marshal(row.div)
			if err != nil {
				t.Fatal(err)
			}
			got := found(t, `{"resourceType":"Patient","text":{"status":"generated","div":`+string(div)+`}}`)
			if (len(got) == 0) != row.good {
				t.Errorf("found %v", got)
			}
		})
	}
}
