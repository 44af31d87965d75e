/** A certificate of some RSA key (`CN=test`, for a hundred years), as DER. */
import { X509Certificate } from 'node:crypto';

const BASE64 = [
  'MIIDATCCAemgAwIBAgIUUsbI4rjxWz/3gXSpPcpcLJ12+jwwDQYJKoZIhvcNAQELBQAwDzENMAsGA1UEAwwEdGVzdDAgFw0yNjEx',
  'MzAxOTIzMzlaGA8yMTI2MTEwNjE5MjMzOVowDzENMAsGA1UEAwwEdGVzdDCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEB',
  'AMSefSH6eak6FtgUOBcER3D/CQHp8wSRJZKFInu812B1NAB7+ngJZSdkIu8oNAzwIh+sw8DiXJwgoyYU7+iCbL7r2PizNPU7rXFT',
  'TUyii9qU0zmy0+moLhc7U5ghAT1Zje1+juZn9/zidDfK+oDfBLXLftfT8jcpnvYXctn2twPFLEQQAosgkBT/JGhrBoBVpp4w952Y',
  'Rx8rkNlqE5uqtWTIMwo+voghgBj/CM45nBSDbUBcBkn0GXE/GPv6h855KTVZWp7xLMyArH+DhlyE375+4s0NQLI5fq732/kYUR5U',
  'WtoArN1h0JC7YhWou21+3YEYQ42aJWMhV9y2pNyptQcCAwEAAaNTMFEwHQYDVR0OBBYEFKPHhHEBG10gni7hndWxlWr90JL1MB8G',
  'A1UdIwQYMBaAFKPHhHEBG10gni7hndWxlWr90JL1MA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBADKD/0lvEB5v',
  'Zu3YX6xSqktiguxRqwEvex9HlMVmWz7Ys4N9vRisVXo64kx8ahpbcVu4gG5KX/5XweXb0ASwn9g6wdYMRPq43xMJFA7Zffb/DxPP',
  'pnEHDcLEvIB9BVEmHS+q5b5L03Z7L54VKEUfV9O6dzc2jxo1QOV5T3KRmn+nnFC2xLtBFzLpl36ofyjuBjmxRqy+ANCN/OM9qQxL',
  '6G2EFlmIieUUEQQUgR6ltEgWn647B/fW4V1uFWiezqHjIhz13NdOwFdQyAkc/CZqG/LPF0VP3yg9OOxTg/9ybf3wfLUIQ+G6tyP2',
  '0FcqTi7o3I28lluoqawrsTmu1f6lSKI=',
].join('');

export const certificateDer: Buffer = Buffer.from(BASE64, 'base64');
/** As a JSON Web Key. */
export const certifiedKey = new X509Certificate(certificateDer).publicKey.export({ format: 'jwk' });
