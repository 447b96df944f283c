import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;

/** A book by Kraken's guide: numbers are kept as the text that came, and each message is proved by its checksum. */
final class KrakenBook implements Books.Book {
    private static final String SYMBOL = "BTC/USDT";
    private static final int DEPTH = 100, CHECKSUM_DEPTH = 10;
    /** One update of so many is told. */
    private static final int TOLD = 10;

    private final String host;
    private final TreeMap<BigDecimal, String[]> bids = new TreeMap<>(Comparator.reverseOrder());
    private final TreeMap<BigDecimal, String[]> asks = new TreeMap<>();
    private int taken;

    KrakenBook(String host) {
        this.host = host;
    }

    @Override
    public void follow(Library library, int events) throws IOException, InterruptedException {
        String params = "{\"channel\":\"book\",\"symbol\":[\"" + SYMBOL + "\"],\"depth\":" + DEPTH + "}";
        try (Line line = library.open("ws://" + host + "/v2")) {
            line.send("{\"method\":\"subscribe\",\"params\":" + params + "}");
            for (boolean begun = false; taken < events; ) {
                JsonObject message = JsonParser.parseString(line.next()).getAsJsonObject();
                if (!message.has("channel") || !message.get("channel").getAsString().equals("book")) continue;
                boolean snapshot = message.get("type").getAsString().equals("snapshot");
                Books.check(snapshot == !begun, "one snapshot, before all else");
                begun = true;
                take(snapshot, message.getAsJsonArray("data").get(0).getAsJsonObject());
            }
        }
    }

    private void take(boolean snapshot, JsonObject data) {
        if (snapshot) {
            bids.clear();
            asks.clear();
        }
        set(bids, data.getAsJsonArray("bids"));
        set(asks, data.getAsJsonArray("asks"));
        Books.check(checksum() == data.get("checksum").getAsLong(), "the checksum of " + data);
        if (snapshot || ++taken % TOLD == 0) {
            Books.tell(Map.of("at", data.get("timestamp"), "depth", DEPTH, "bids", bids.values(), "asks", asks.values()));
        }
    }

    private static void set(TreeMap<BigDecimal, String[]> side, Iterable<JsonElement> levels) {
        for (JsonElement level : levels) {
            // Gson keeps the digits of a number as they stand there.
            String price = level.getAsJsonObject().get("price").getAsString();
            String qty = level.getAsJsonObject().get("qty").getAsString();
            if (new BigDecimal(qty).signum() == 0) side.remove(new BigDecimal(price));
            else side.put(new BigDecimal(price), new String[] {price, qty});
        }
        while (side.size() > DEPTH) side.pollLastEntry();
    }

    private long checksum() {
        CRC32 crc = new CRC32();
        for (TreeMap<BigDecimal, String[]> side : List.of(asks, bids)) {
            side.values().stream().limit(CHECKSUM_DEPTH).flatMap(Arrays::stream).forEach(number -> {
                crc.update(number.replace(".", "").replaceFirst("^0+", "").getBytes(StandardCharsets.US_ASCII));
            });
        }
        return crc.getValue();
    }
}
