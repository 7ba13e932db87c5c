// Apache HttpClient 5, as it comes.
import org.apache.hc.client5.http.entity.mime.MultipartEntityBuilder;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.StringEntity;
import org.apache.hc.core5.http.io.support.ClassicRequestBuilder;

final class ApacheHttpClient {
    static final CloseableHttpClient CLIENT = HttpClients.createDefault();

    public static void main(String[] arguments) throws Exception {
        Steps.serve(arguments, ApacheHttpClient::send);
    }

    static Steps.Answer send(Steps.Request step) throws Exception {
        ClassicRequestBuilder request = ClassicRequestBuilder.create(step.method()).setUri(step.url());
        if (!step.token().isEmpty()) {
            request.setHeader("Authorization", "Bearer " + step.token());
        }
        if (!step.data().isEmpty()) {
            request.setEntity(encode(step));
        }
        return CLIENT.execute(request.build(), answer -> new Steps.Answer(answer.getCode(),
            answer.getEntity() == null ? new byte[0] : EntityUtils.toByteArray(answer.getEntity())));
    }

    static HttpEntity encode(Steps.Request step) {
        if (step.isUpload()) {
            return MultipartEntityBuilder.create()
                .addBinaryBody(
                    "file", step.picture().toFile(), ContentType.IMAGE_PNG, Steps.FILE_NAME)
                .addTextBody("scheduled_at", step.day())
                .build();
        }
        return new StringEntity(step.data(), ContentType.APPLICATION_JSON);
    }
}
