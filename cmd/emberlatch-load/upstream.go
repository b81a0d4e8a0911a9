package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// cannedUpstream is a FHIR server that answers at once with what it has ready, whatever
// it is asked: a patient, a laboratory value, a page of fifty.
func cannedUpstream(string) (http.Handler, error) {
	answers := map[string]any{
		"/fhir/metadata":    statement(),
		"/fhir/Observation": searchset(50),
		"/fhir/Condition":   searchset(0),
	}
	ready := map[string][]byte{}
	for path, answer := range answers {
		body, err := json.Marshal(answer)
		if err != nil {
			return nil, err
		}
		ready[path] = body
	}
	for _, r := range record()["entry"].([]object) {
		resource := r["resource"].(object)
		body, err := json.Marshal(stored(resource))
		if err != nil {
			return nil, err
		}
		ready[fmt.Sprintf("/fhir/%s/%s", resource["resourceType"], resource["id"])] = body
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := ready[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/fhir+json")
		_, _ = w.Write(body)
	}), nil
}

// stored is a resource with what a server adds.
func stored(resource object) object {
	resource["meta"] = object{"versionId": "1", "lastUpdated": "2026-01-02T03:04:05Z"}
	return resource
}

// statement says what the gateway may ask.
func statement() object {
	var types, parameters, interactions []object
	for _, name := range []string{"_id", "patient", "subject", "category", "date", "code"} {
		parameters = append(parameters, object{"name": name})
	}
	for _, code := range []string{"read", "search-type"} {
		interactions = append(interactions, object{"code": code})
	}
	for _, t := range []string{"Patient", "Observation", "Condition"} {
		types = append(types, object{"type": t, "interaction": interactions, "searchParam": parameters})
	}
	return object{"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": []object{{"mode": "server", "resource": types}}}
}

// searchset is a page of the patient's laboratory values.
func searchset(size int) object {
	entries := []object{}
	for _, e := range record()["entry"].([]object) {
		resource := e["resource"].(object)
		if resource["resourceType"] == "Observation" && len(entries) < size {
			entries = append(entries, object{
				"fullUrl": fmt.Sprintf("http://upstream.example.org/fhir/Observation/%s", resource["id"]), "resource": stored(resource), "search": object{"mode": "match"},
			})
		}
	}
	return object{
		"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries,
		"link": []object{{"relation": "self", "url": "http://upstream.example.org/fhir/Observation"}},
	}
}

// plainProxy is net/http/httputil's, which checks nothing.
func plainProxy(upstream string) (http.Handler, error) {
	target, err := url.Parse("http://" + upstream)
	if err != nil {
		return nil, err
	}
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	}, nil
}

// nginxConfig is nginx as a plain proxy that keeps its connections.
func nginxConfig(dir, listen, upstream string) string {
	return strings.NewReplacer("DIR", dir, "LISTEN", listen, "UPSTREAM", upstream).Replace(`
daemon off; master_process on; worker_processes 2; pid DIR/nginx.pid; error_log DIR/error.log warn;
events { worker_connections 1024; }
http {
  access_log off; client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi; uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
  keepalive_requests 100000000;
  upstream canned { server UPSTREAM; keepalive 64; keepalive_requests 100000000; }
  server {
    listen LISTEN;
    location / { proxy_pass http://canned; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffers 16 32k; proxy_buffer_size 32k; }
  }
}
`)
}
