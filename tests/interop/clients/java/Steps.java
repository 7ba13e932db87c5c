// What the Java clients share. The lines are described in ../python/steps.py.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

final class Steps {
    static final String FILE_NAME = "my photo.png";
    static final int TIMEOUT_SECONDS = 60;
    private static final String PART =
        "--frontier\r\nContent-Disposition: form-data; name=\"%s\"%s\r\n\r\n";

    record Request(String method, String url, String token, String data, String day) {
        boolean isUpload() {
            return data.startsWith("/");
        }

        Path picture() {
            return Path.of(data);
        }

        /** The type of the body that `encoded` returns. */
        String contentType() {
            return isUpload() ? "multipart/form-data; boundary=frontier" : "application/json";
        }

        /** The body for a client that knows no forms; empty if there is none. */
        byte[] encoded() throws Exception {
            if (!isUpload()) {
                return data.getBytes();
            }
            var form = new java.io.ByteArrayOutputStream();
            form.write(PART.formatted("file", "; filename=\"" + FILE_NAME + "\"").getBytes());
            form.write(Files.readAllBytes(picture()));
            form.write(("\r\n" + PART.formatted("scheduled_at", "") + day).getBytes());
            form.write("\r\n--frontier--\r\n".getBytes());
            return form.toByteArray();
        }
    }

    record Answer(int status, byte[] body) {}

    interface Client {
        Answer send(Request request) throws Exception;
    }

    /** Sends each request as it comes. */
    static void serve(String[] arguments, Client client) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            if (!line.isEmpty()) {
                String[] words = line.split("\t", -1);
                Answer answer =
                    client.send(new Request(words[0], words[1], words[2], words[3], arguments[0]));
                System.out.printf("{\"status\": %d, \"body\": \"%s\"}%n", answer.status(),
                    Base64.getEncoder().encodeToString(answer.body()));
            }
        }
    }
}
