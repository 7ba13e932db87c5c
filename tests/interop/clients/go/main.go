// Go's net/http. The lines are described in ../python/steps.py.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"time"
)

var client = &http.Client{Timeout: 60 * time.Second}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// encode returns the body and its type.
func encode(data string) ([]byte, string) {
	if !strings.HasPrefix(data, "/") {
		return []byte(data), "application/json"
	}
	picture, err := os.ReadFile(data)
	check(err)
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	file, err := writer.CreateFormFile("file", "my photo.png")
	check(err)
	_, err = file.Write(picture)
	check(err)
	check(writer.WriteField("scheduled_at", os.Args[1]))
	check(writer.Close())
	return form.Bytes(), writer.FormDataContentType()
}

func send(method, url, token, data string) (int, []byte) {
	body, contentType := encode(data)
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	check(err)
	if data != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := client.Do(request)
	check(err)
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	check(err)
	return answer.StatusCode, content
}

func main() {
	output := json.NewEncoder(os.Stdout)
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		if line := strings.Split(input.Text(), "\t"); len(line) == 4 {
			status, body := send(line[0], line[1], line[2], line[3])
			check(output.Encode(map[string]any{"status": status, "body": body}))
		}
	}
	check(input.Err())
}
