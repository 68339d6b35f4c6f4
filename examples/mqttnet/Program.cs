// Connects as this device and sends one reading: dotnet run
using System;
using System.IO;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading.Tasks;
using MQTTnet;
using MQTTnet.Protocol;

public static class Program
{
    public static async Task Main()
    {
        // Windows opens keys for TLS from a PFX alone; elsewhere PEM would do as well.
        var own = new X509Certificate2Collection();
        own.Import(Beside("device.pfx"), File.ReadAllText(Beside("device_pass.txt")), X509KeyStorageFlags.DefaultKeySet);
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile(Beside("ca.pem"));

        // The roots of the hub alone are trusted, and the name of the server is compared with its certificate.
        var options = new MqttClientOptionsBuilder()
            .WithClientId("@ID@")
            .WithTcpServer("@HOST@", @PORT@)
            .WithTlsOptions(tls => tls
                .UseTls()
                .WithClientCertificates(own)
                .WithTrustChain(roots)
                .WithRevocationMode(X509RevocationMode.NoCheck))
            .Build();
        using (var client = new MqttClientFactory().CreateMqttClient())
        {
            var answer = await client.ConnectAsync(options);
            if (answer.ResultCode != MqttClientConnectResultCode.Success)
            {
                Console.Error.WriteLine($"the hub refused the connection: {answer.ResultCode} {answer.ReasonString}");
                Environment.Exit(1);
            }
            var reading = new MqttApplicationMessageBuilder()
                .WithTopic("devices/@ID@/messages/events/")
                .WithPayload(Encoding.UTF8.GetBytes("{\"temperature\":21}"))
                .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
                .Build();
            await client.PublishAsync(reading);
            Console.WriteLine("sent");
            await client.DisconnectAsync();
        }
    }

    private static string Beside(string name)
    {
        return Path.Combine(AppContext.BaseDirectory, name);
    }
}
