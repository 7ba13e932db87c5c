// Go's net/http: go run go_net_http.go ADDRESS PICTURE DAY GOOD BAD
package main

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"time"
)

var client = &http.Client{Timeout: 60 * time.Second}

func call(step, method, url, token, contentType string, body []byte) {
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	check(err)
	request.Header.Set("Authorization", "Bearer "+token)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	answer, err := client.Do(request)
	check(err)
	_, err = io.Copy(io.Discard, answer.Body)
	check(err)
	check(answer.Body.Close())
	fmt.Println(step, answer.StatusCode)
}

func check(err error) {
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
}

func main() {
	url, good, bad := os.Args[1]+"/v1/media/creatives", os.Args[4], os.Args[5]
	picture, err := os.ReadFile(os.Args[2])
	check(err)
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	file, err := writer.CreateFormFile("file", "my photo.png")
	check(err)
	_, err = file.Write(picture)
	check(err)
	check(writer.WriteField("scheduled_at", os.Args[3]))
	check(writer.Close())
	call("upload", "POST", url, good, writer.FormDataContentType(), form.Bytes())
	call("refused", "POST", url, bad, writer.FormDataContentType(), form.Bytes())
	call("again", "POST", url, good, writer.FormDataContentType(), form.Bytes())
	call("list", "GET", url, good, "", nil)
	time.Sleep(2 * time.Second)
	call("idle", "GET", url, good, "", nil)
}
