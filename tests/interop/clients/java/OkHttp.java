// OkHttp, which Android apps use; here without its own retry, which would hide a lost connection.
import java.util.concurrent.TimeUnit;
import okhttp3.MediaType;
import okhttp3.MultipartBody;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;

final class OkHttp {
    static final OkHttpClient CLIENT = new OkHttpClient.Builder()
        .retryOnConnectionFailure(false)
        .readTimeout(Steps.TIMEOUT_SECONDS, TimeUnit.SECONDS)
        .build();

    public static void main(String[] arguments) throws Exception {
        Steps.serve(arguments, OkHttp::send);
    }

    static Steps.Answer send(Steps.Request step) throws Exception {
        Request.Builder request = new Request.Builder().url(step.url());
        if (!step.token().isEmpty()) {
            request.header("Authorization", "Bearer " + step.token());
        }
        request.method(step.method(), step.method().equals("GET") ? null : encode(step));
        try (Response answer = CLIENT.newCall(request.build()).execute()) {
            return new Steps.Answer(answer.code(), answer.body().bytes());
        }
    }

    static RequestBody encode(Steps.Request step) {
        if (step.isUpload()) {
            return new MultipartBody.Builder()
                .setType(MultipartBody.FORM)
                .addFormDataPart("file", Steps.FILE_NAME,
                    RequestBody.create(step.picture().toFile(), MediaType.get("image/png")))
                .addFormDataPart("scheduled_at", step.day())
                .build();
        }
        return RequestBody.create(
            step.data().getBytes(), step.data().isEmpty() ? null : MediaType.get("application/json"));
    }
}
