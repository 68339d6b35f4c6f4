import java.io.FileInputStream;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import javax.net.ssl.*;

/** A TLS client in Java: host port ca pfx version name; the PFX has the passphrase "changeit". */
public class TlsClient {
  public static void main(String[] a) {
    try {
      KeyStore roots = KeyStore.getInstance("PKCS12");
      roots.load(null, null);
      int n = 0;
      try (FileInputStream in = new FileInputStream(a[2])) {
        for (java.security.cert.Certificate c : CertificateFactory.getInstance("X.509").generateCertificates(in)) roots.setCertificateEntry("r" + n++, c);
      }
      TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
      trust.init(roots);
      KeyManager[] keys = null;
      if (!a[3].isEmpty()) {
        KeyStore own = KeyStore.getInstance("PKCS12");
        try (FileInputStream in = new FileInputStream(a[3])) { own.load(in, a.length > 6 ? a[6].toCharArray() : "changeit".toCharArray()); }
        KeyManagerFactory factory = KeyManagerFactory.getInstance("SunX509");
        factory.init(own, "changeit".toCharArray());
        keys = factory.getKeyManagers();
      }
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys, trust.getTrustManagers(), null);
      SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(a[0], Integer.parseInt(a[1]));
      socket.setSoTimeout(4000);
      SSLParameters parameters = socket.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      if (a[4].equals("1.2")) parameters.setProtocols(new String[] {"TLSv1.2"});
      parameters.setServerNames(java.util.List.of());
      socket.setSSLParameters(parameters);
      socket.startHandshake();
      socket.getOutputStream().write(new byte[] {0x10, 0x16, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 10, 'd', 'e', 'v', 'i', 'c', 'e', '-', '0', '0', '1'});
      System.out.println("answer " + socket.getInputStream().read());
    } catch (Exception error) {
      error.printStackTrace();
    }
  }
}
